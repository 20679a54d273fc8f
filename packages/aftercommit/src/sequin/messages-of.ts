import * as z from "zod";
import { RefusedRequestError } from "../errors.ts";

// Sequin sends at most 1,000. Millions of small ones, which fit into 32 MB, would keep the process busy for minutes.
export const MOST_MESSAGES = 10_000;

const envelope = z.looseObject({ data: z.array(z.unknown()) });
const pulled = z.looseObject({ ack_id: z.string(), data: z.unknown() });

/** One element of a delivery, not yet validated, and its place in the body (`""` for the body itself). */
export type Located = { at: string; value: unknown };

function withoutAckId(value: unknown): unknown {
  const element = pulled.safeParse(value);
  return element.success ? element.data.data : value;
}

/**
 * Extracts the messages of a delivery's body: `{"data":[…]}` (from a sink with `batch: true`, the default, even for one
 * message) or the bare message. A body with `record` is a message, whatever else it has.
 * @throws {RefusedRequestError} 413 if there are more than {@link MOST_MESSAGES}
 */
export function messagesOf(body: unknown): { batch: boolean; messages: Located[] } {
  const batch = envelope.safeParse(body);
  if (!batch.success || "record" in batch.data) return { batch: false, messages: [{ at: "", value: body }] };
  if (batch.data.data.length > MOST_MESSAGES)
    throw new RefusedRequestError(413, `The delivery has more than ${MOST_MESSAGES} messages`);
  const messages = batch.data.data.map((value, index) => ({
    at: `data[${index}]`,
    value: withoutAckId(value),
  }));
  return { batch: true, messages };
}
