import type { Metadata } from "next";
import { messageOf } from "../lib/errors.ts";
import { InvalidSearchError, searchQuery } from "../lib/search/query.ts";
import { SearchUnavailableError, searchPosts } from "../lib/search/search-posts.ts";
import { status } from "../lib/status/read-status.ts";
import { Header } from "./_frame/header.tsx";
import { SearchBox } from "./_search/search-box.tsx";
import { SearchProblem, SearchResults } from "./_search/search-results.tsx";
import { Refresh } from "./_status/refresh.tsx";
import { StatusReport } from "./_status/status-report.tsx";

type Props = { searchParams: Promise<Record<string, string | string[] | undefined>> };

async function wordsOf({ searchParams }: Props): Promise<string> {
  const { q } = await searchParams;
  return ([q].flat()[0] ?? "").trim();
}

export async function generateMetadata(props: Props): Promise<Metadata> {
  const q = await wordsOf(props);
  return q ? { title: q.slice(0, 60) } : {};
}

async function Results({ q }: { q: string }) {
  try {
    return <SearchResults q={q} results={await searchPosts(searchQuery({ q }))} />;
  } catch (error) {
    if (error instanceof InvalidSearchError || error instanceof SearchUnavailableError)
      return <SearchProblem message={messageOf(error).replace(/^q: /, "Your search ")} />;
    throw error;
  }
}

async function Report() {
  return <StatusReport status={await status()} />;
}

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
