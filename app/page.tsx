import { declarationsOf } from "aftercommit";
import { statusOf } from "aftercommit/status";
import type { Metadata } from "next";
import * as config from "../aftercommit.config.ts";
import { Header } from "./_frame/header.tsx";
import { SearchBox } from "./_search/search-box.tsx";
import { searchPage } from "./_search/search-page.tsx";
import { Refresh } from "./_status/refresh.tsx";
import { StatusReport } from "./_status/status-report.tsx";

type Props = { searchParams: Promise<Record<string, string | string[] | undefined>> };

const status = statusOf(declarationsOf(config));

async function wordsOf({ searchParams }: Props): Promise<string> {
  const { q } = await searchParams;
  return ([q].flat()[0] ?? "").trim();
}

export async function generateMetadata(props: Props): Promise<Metadata> {
  const q = await wordsOf(props);
  return q ? { title: q.slice(0, 60) } : {};
}

const Results = async ({ q }: { q: string }) => searchPage(q);

const Report = async () => <StatusReport status={await status()} />;

export default async function Page(props: Props) {
  const q = await wordsOf(props);
  return (
    <>
      <Header>{q === "" && <Refresh />}</Header>
      <main>
        <SearchBox q={q} />
        {q ? <Results q={q} /> : <Report />}
      </main>
    </>
  );
}
