import { DeclarationError } from "../declaration-error.ts";
import type { Duration } from "../declare/duration.ts";
import type { DeletedRow, ExternalSystem, SystemRequest } from "../declare/external-system.ts";
import { sendRequest, wasFound } from "./send-request.ts";

type HttpSystemOptions = {
  /** Never changes: the ledger refers to the system by it. */
  name: string;
  /** The request that removes a row; undefined if there is nothing to request, for example without an address. */
  request: (deletion: DeletedRow) => SystemRequest | undefined;
  /** The statuses that mean that the system never knew the row. Default: none. */
  notFound?: readonly number[];
  /**
   * A request that the system answers with 2xx while it has the row, and with a status of `notFound` when it does not.
   */
  verify?: (deletion: DeletedRow) => SystemRequest | undefined;
  /** Passes the e-mail address to both functions. */
  email?: true;
  /** The grace period after the deletion. */
  after?: Duration;
};

/**
 * A system with an HTTP API. 2xx means that it is clean, and so does a status of `notFound`. Redirects are not
 * followed.
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
 * @throws {DeclarationError} if `verify` has no `notFound`, which says that the row is not there
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

  /** Whether the system had something. */
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
