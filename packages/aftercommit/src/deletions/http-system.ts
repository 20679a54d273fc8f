import { DeclarationError } from "../declaration-error.ts";
import type { Duration } from "../declare/duration.ts";
import type { DeletedRow, ExternalSystem, SystemRequest } from "../declare/external-system.ts";
import { sendRequest, wasFound } from "./send-request.ts";

type HttpSystemOptions = {
  /** Stays the same over time: the ledger refers to the system by it. */
  name: string;
  /** The request that removes a row; undefined where there is nothing to ask for, such as without an address. */
  request: (deletion: DeletedRow) => SystemRequest | undefined;
  /** The statuses by which the system says that it never knew the row. None when left out. */
  notFound?: readonly number[];
  /** A request that is answered by 2xx while the system has the row, and by a status of `notFound` when it has not. */
  verify?: (deletion: DeletedRow) => SystemRequest | undefined;
  /** Gives both the e-mail address. */
  email?: true;
  /** How long to wait after the deletion. */
  after?: Duration;
};

/**
 * A system with an HTTP API: 2xx says that it is clean, and so does a status of `notFound`. Redirects are not followed.
 *
 * @example
 * httpSystem({
 *   name: "analytics",
 *   request: ({ id }) => ({
 *     method: "DELETE",
 *     url: `https://analytics.example.com/users/${encodeURIComponent(id)}`,
 *     headers: { authorization: `Bearer ${process.env.ANALYTICS_KEY}` },
 *   }),
 *   notFound: [404],
 * })
 * @throws {DeclarationError} when `verify` comes without `notFound`, by which it says that the row is not there
 */
export function httpSystem({
  name,
  request,
  notFound = [],
  verify,
  email,
  after,
}: HttpSystemOptions): ExternalSystem {
  if (verify && notFound.length === 0)
    throw new DeclarationError(
      `httpSystem({ name: ${JSON.stringify(name)} })`,
      "notFound",
      "must have the status by which verify says that the row is not there, such as [404]",
    );

  /** Whether there was something. */
  async function ask(asked: SystemRequest | undefined, signal: AbortSignal): Promise<boolean> {
    if (!asked) return false;
    const response = await sendRequest(asked, signal);
    await response.body?.cancel();
    return wasFound(response, notFound);
  }

  return {
    name,
    request,
    ...(email && { email }),
    ...(after && { after }),
    cleanUp: async ({ signal, ...deletion }) => void (await ask(request(deletion), signal)),
    ...(verify && {
      verify: async ({ signal, ...deletion }) => ({ found: await ask(verify(deletion), signal) }),
    }),
  };
}
