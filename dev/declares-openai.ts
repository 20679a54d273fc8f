import { declarationsOf, embeddingsOf } from "../packages/aftercommit/src/declare/declarations.ts";

/** Whether a declared table uses OpenAI or a server like it, which the local stack emulates. */
export async function declaresOpenai(): Promise<boolean> {
  // Loaded late: a declaration may read a variable of .env.local.
  const declarations = declarationsOf(await import("../aftercommit.config.ts"));
  return embeddingsOf(declarations).some(({ providers }) =>
    providers.some(({ variables }) => variables.includes("OPENAI_API_KEY")),
  );
}
