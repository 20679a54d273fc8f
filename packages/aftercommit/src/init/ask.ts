import type { Wanted } from "./declare.ts";
import { type Candidate, proposeDeletion, proposeEmbedding } from "./propose.ts";

/** The flags that answer single questions. */
export type Answers = {
  table?: string;
  key?: string;
  text?: string;
  "delete-table"?: string;
  email?: string;
};

/** Asks a person. The proposal is the answer to an empty line. */
export type Ask = (question: string, proposal: string) => Promise<string>;

const spelled = ({ schema, name }: Candidate) => (schema === "public" ? name : `${schema}.${name}`);
const proposed = (candidate: Candidate | undefined) => (candidate ? spelled(candidate) : "none");

function find(candidates: readonly Candidate[], table: string, flag: string): Candidate {
  const found = candidates.find((one) => [spelled(one), `${one.schema}.${one.name}`].includes(table));
  if (found) return found;
  const names = candidates.map(spelled).join(", ") || "none";
  throw new Error(
    `--${flag}: there is no table ${table} with a primary key of one column (there are: ${names})`,
  );
}

async function askEmbedding(
  candidates: readonly Candidate[],
  answers: Answers,
  ask: Ask,
): Promise<Wanted["embedding"]> {
  const proposal = proposed(proposeEmbedding(candidates));
  const table =
    answers.table ?? (await ask("Which table is searched by meaning? (none for no table)", proposal));
  if (table === "none") return undefined;
  const candidate = find(candidates, table, "table");
  const text =
    answers.text ?? (await ask("Which columns are its text, the title first?", candidate.text.join(",")));
  if (!text)
    throw new Error(`--text: ${table} has no column that is likely its text; name them: --text title,body`);
  const [title = "", ...others] = text.split(",").map((column) => column.trim());
  return { candidate, key: answers.key ?? candidate.key, text: [title, ...others] };
}

async function askDeletion(
  candidates: readonly Candidate[],
  answers: Answers,
  ask: Ask,
): Promise<Wanted["deletion"]> {
  const proposal = proposed(proposeDeletion(candidates));
  const table =
    answers["delete-table"] ??
    (await ask("Whose deleted rows are cleaned up elsewhere? (none for no table)", proposal));
  if (table === "none") return undefined;
  const candidate = find(candidates, table, "delete-table");
  const email =
    answers.email ??
    (await ask(
      "Which column has the address for the confirmation? (none to send none)",
      candidate.email ?? "none",
    ));
  return { candidate, email: email === "none" ? undefined : email };
}

/** Asks which tables to declare, except for what the flags answer. */
export async function askTables(
  candidates: readonly Candidate[],
  answers: Answers,
  ask: Ask,
): Promise<Wanted> {
  const embedding = await askEmbedding(candidates, answers, ask);
  return { embedding, deletion: await askDeletion(candidates, answers, ask) };
}
