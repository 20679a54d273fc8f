import { DeclarationError } from "../declaration-error.ts";
import { declaredVariable } from "../env/env.ts";

const VARIABLE = /^[A-Z][A-Z0-9_]*$/;

/**
 * The header with the key of an environment variable. The variable is read for each request, so that a missing one is
 * named when it is needed. Throws DeclarationError if it is a key instead of the name of a variable.
 */
export function bearerOf(place: string, apiKeyVariable: string | undefined) {
  if (apiKeyVariable !== undefined && !VARIABLE.test(apiKeyVariable))
    throw new DeclarationError(
      place,
      "apiKeyVariable",
      "must be the name of an environment variable, such as MISTRAL_API_KEY",
    );
  return () => ({ authorization: apiKeyVariable ? `Bearer ${declaredVariable(apiKeyVariable)}` : null });
}
