import { declarationsOf, embeddingsOf } from "aftercommit";
import { isFromOtherSite } from "aftercommit/next";
import { statusOf } from "aftercommit/status";
import type { Metadata } from "next";
import { headers } from "next/headers";
import * as config from "../aftercommit.config.ts";
import { Header } from "./_frame/header.tsx";
import { SearchForm } from "./_search/search-form.tsx";
import { searchPage } from "./_search/search-page.tsx";
import { Refresh } from "./_status/refresh.tsx";
import { StatusReport } from "./_status/status-report.tsx";

type Props = { searchParams: Promise<Record<string, string | string[] | undefined>> };

const declarations = declarationsOf(config);
const tables = embeddingsOf(declarations);
const status = statusOf(declarations);

/** The parameters of the address; the first of each name. */
async function askedBy({ searchParams }: Props): Promise<Record<string, string>> {
  const fields = Object.entries(await searchParams);
  return Object.fromEntries(fields.map(([name, value]) => [name, ([value].flat()[0] ?? "").trim()]));
}

export async function generateMetadata(props: Props): Promise<Metadata> {
  const { q } = await askedBy(props);
  return q ? { title: q.slice(0, 60) } : {};
}

const Results = async ({ asked }: { asked: Record<string, string> }) =>
  searchPage(tables, asked, { isFromElsewhere: isFromOtherSite(await headers()) });

const Report = async () => <StatusReport status={await status()} />;

export default async function Page(props: Props) {
  const asked = await askedBy(props);
  const isSearch = Boolean(asked.q || asked.similar);
  const content = isSearch ? <Results asked={asked} /> : <Report />;
  const table = tables.find(({ rows }) => rows === asked.in) ?? tables[0];
  return (
    <>
      <Header>{!isSearch && <Refresh />}</Header>
      <main>
        {table ? (
          <SearchForm
            asked={asked}
            // Only what the browser needs: the declarations contain functions.
            tables={tables.map(({ row, rows, columns, filters }) => ({ row, rows, columns, filters }))}
            first={table.rows}
          >
            {content}
          </SearchForm>
        ) : (
          content
        )}
      </main>
    </>
  );
}
