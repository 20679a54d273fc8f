import { rootMessageOf } from "../errors.ts";

// Next.js compiles a route at its first request in development; Sequin itself waits for 30 s.
const LIMIT_MS = 20_000;

/** An answer over HTTP, as far as checks look at it; `json` is undefined where the body is none. */
export type Answer = { status: number; location: string | undefined; json: unknown };

/** Nobody answered: why, without the URL, which may hold a secret. */
class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One request that follows no redirect. Rejects with NoAnswerError when there is no answer within 20 s. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  try {
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    const location = response.headers.get("location") ?? undefined;
    return { status: response.status, location, json: parsed(await response.text()) };
  } catch (error) {
    throw new NoAnswerError(`no answer: ${rootMessageOf(error)}`);
  }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
