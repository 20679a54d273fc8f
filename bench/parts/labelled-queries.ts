import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Judgments } from "./relevance.ts";

const document = z.object({ _id: z.coerce.string(), title: z.string().default(""), text: z.string() });
const query = z.object({ _id: z.coerce.string(), text: z.string() });

export type LabelledQueries = {
  documents: z.infer<typeof document>[];
  queries: { text: string; judgments: Judgments }[];
};

const linesOf = (folder: string, name: string) => readFileSync(join(folder, name), "utf8").trim().split("\n");

/** Reads a data set of BEIR's form. Queries without a judgment are left out. */
export function readLabelledQueries(folder: string): LabelledQueries {
  const judgments = new Map<string, Map<string, number>>();
  for (const line of linesOf(folder, "qrels.tsv").slice(1)) {
    const [of = "", id = "", grade] = line.split("\t");
    judgments.set(of, (judgments.get(of) ?? new Map<string, number>()).set(id, Number(grade)));
  }
  return {
    documents: linesOf(folder, "corpus.jsonl").map((line) => document.parse(JSON.parse(line))),
    queries: linesOf(folder, "queries.jsonl").flatMap((line) => {
      const { _id, text } = query.parse(JSON.parse(line));
      const of = judgments.get(_id);
      return of ? { text, judgments: of } : [];
    }),
  };
}
