import { partsNeeded, type Variables, variablesFor } from "./emulators.ts";
import { generatedSecrets } from "./secrets.ts";
import { readSettings } from "./settings.ts";

/** The variables with which a command reaches the local stack, for those that are not set. */
export function localVariables(env: NodeJS.ProcessEnv): Variables {
  const settings = readSettings(env);
  const parts = partsNeeded(env);
  return variablesFor(parts, env, settings, generatedSecrets(settings.dataDir));
}
