import type { Declaration } from "./declare/declaration.ts";
import { embeddingsOf } from "./declare/declarations.ts";
import { variablesOf } from "./env/variables.ts";

/** The variables that the app requires for these declarations. */
export const neededByApp = (declarations: readonly Declaration[]) =>
  variablesOf("app", "required", ...declarations.map(({ from }) => `from ${from}`));

/** The variables that the tasks of these declarations require. */
export function neededByTasks(
  declarations: readonly Declaration[],
  source: Readonly<Record<string, string | undefined>>,
): string[] {
  const ofProviders = embeddingsOf(declarations).flatMap(({ providers }) =>
    providers.flatMap((provider) => provider.variables),
  );
  const isForNobody = source.USER_DELETION_WEBHOOK_URLS?.trim() === "none";
  const ofAll = variablesOf("tasks", "required").filter(
    (name) => !(isForNobody && name === "USER_DELETION_WEBHOOK_SECRET"),
  );
  return [...new Set([...ofAll, ...ofProviders])];
}
