import type { Declaration } from "./declare/declaration.ts";
import { deletionsOf, embeddingsOf } from "./declare/declarations.ts";
import { variablesOf } from "./env/variables.ts";

/** The needs that these declarations have, as the table of variables names them. */
const needsOf = (declarations: readonly Declaration[]) => [
  "required",
  ...declarations.map(({ from }) => `from ${from}`),
  ...deletionsOf(declarations).flatMap(({ email }) => ["for deletions", ...(email ? ["for e-mail"] : [])]),
];

/** The variables that the app requires for these declarations. */
export const neededByApp = (declarations: readonly Declaration[]) =>
  variablesOf("app", ...needsOf(declarations));

/** The variables that the tasks of these declarations require. */
export function neededByTasks(
  declarations: readonly Declaration[],
  source: Readonly<Record<string, string | undefined>>,
): string[] {
  const ofProviders = embeddingsOf(declarations).flatMap(({ providers }) =>
    providers.flatMap((provider) => provider.variables),
  );
  const isForNobody = source.USER_DELETION_WEBHOOK_URLS?.trim() === "none";
  const ofTasks = variablesOf("tasks", ...needsOf(declarations)).filter(
    (name) => !(isForNobody && name === "USER_DELETION_WEBHOOK_SECRET"),
  );
  return [...new Set([...ofTasks, ...ofProviders])];
}
