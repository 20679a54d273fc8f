import type { TableOnPage } from "aftercommit/status";
import { MOST_COUNTED } from "aftercommit/status";
import { counted, wordsOf } from "./format.ts";

type Headline = { text: string; tone: "good" | "waiting" | "bad" };

function nounsOf([first, ...others]: readonly TableOnPage[]): { one: string; many: string } {
  return first && others.length === 0
    ? { one: wordsOf(first.row), many: wordsOf(first.rows) }
    : { one: "row", many: "rows" };
}

export function headlineOf(tables: readonly TableOnPage[]): Headline {
  const { one, many } = nounsOf(tables);
  const known = tables.flatMap(({ status }) => (status.known ? [status.value.counts] : []));
  const total = (state: "embedded" | "pending" | "failed") =>
    known.reduce((sum, counts) => sum + counts[state], 0);
  const some = (count: number) => `${counted(count)} ${count === 1 ? one : many}`;
  const [embedded, pending, failed] = [total("embedded"), total("pending"), total("failed")];
  if (tables.length === 0) return { text: "No table is embedded", tone: "good" };
  if (known.length < tables.length) return { text: "The status is not completely known", tone: "bad" };
  if (failed > 0) return { text: `${some(failed)} could not be embedded`, tone: "bad" };
  if (pending > 0)
    return { text: `${some(pending)} ${pending === 1 ? "waits" : "wait"} for an embedding`, tone: "waiting" };
  if (embedded === 0) return { text: `There are no ${many} yet`, tone: "good" };
  if (embedded === 1) return { text: `The one ${one} is embedded`, tone: "good" };
  return {
    text: `All ${embedded > MOST_COUNTED ? "" : `${counted(embedded)} `}${many} are embedded`,
    tone: "good",
  };
}
