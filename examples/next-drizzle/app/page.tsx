import { search } from "aftercommit";
import { drizzle } from "drizzle-orm/node-postgres";
import { Suspense } from "react";
import { articles } from "../aftercommit.config";
import * as schema from "../schema";

const db = drizzle(process.env.DATABASE_URL ?? "");

type Props = { searchParams: Promise<{ q?: string }> };

async function Articles({ searchParams }: Props) {
  const { q } = await searchParams;
  if (!q) return (await db.select().from(schema.articles)).map(({ id, title }) => <li key={id}>{title}</li>);
  const { results } = await search(articles, { query: q });
  return results.map(({ id, columns }) => <li key={id}>{String(columns.title)}</li>);
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
