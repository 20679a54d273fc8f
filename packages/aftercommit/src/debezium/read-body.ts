import type { Unread } from "../changes/row-change.ts";
import { RefusedRequestError } from "../errors.ts";
import { insertedAt, rowChangeOf } from "./row-change.ts";

const MOST_EVENTS = 10_000;
// Debezium sends a change of the key as a delete with the header __debezium.newkey, and an insert at the same place in
// the log. Debezium Server puts debezium.sink.http.headers.prefix in front.
const NEW_KEY = /__debezium\.newkey$/i;

/**
 * The events of a request of Debezium Server's HTTP sink: one, or with debezium.sink.http.batch.enabled an array.
 * @throws {RefusedRequestError} 413 if there are more than 10,000
 */
export function readBody(body: unknown, headers: Headers): { batch: boolean; delivery: Unread[] } {
  if (!Array.isArray(body)) {
    const hasMoved = () => [...headers.keys()].some((name) => NEW_KEY.test(name));
    return { batch: false, delivery: [{ at: "", read: () => rowChangeOf(body, hasMoved) }] };
  }
  if (body.length > MOST_EVENTS)
    throw new RefusedRequestError(413, `The delivery has more than ${MOST_EVENTS} events`);
  const inserted = new Set(body.map(insertedAt));
  const delivery = body.map((value: unknown, index) => ({
    at: `[${index}]`,
    read: () => rowChangeOf(value, (lsn) => inserted.has(lsn)),
  }));
  return { batch: true, delivery };
}
