import { searchRows } from "aftercommit";
import { drizzle } from "drizzle-orm/node-postgres";
import { Suspense } from "react";
import { articles } from "../aftercommit.config";
import * as schema from "../schema";

const db = drizzle(process.env.DATABASE_URL ?? "");

type Props = { searchParams: Promise<{ q?: string }> };

async function Articles({ searchParams }: Props) {
  const { q } = await searchParams;
  const found = q ? await searchRows(articles, { q, limit: 10 }) : [];
  const rows = q
    ? found.map(({ id, columns }) => ({ id, title: String(columns.title) }))
    : await db.select().from(schema.articles);
  return rows.map(({ id, title }) => <li key={id}>{title}</li>);
}

export default function Page(props: Props) {
  return (
    <ul>
      <Suspense>
        <Articles {...props} />
      </Suspense>
    </ul>
  );
}
