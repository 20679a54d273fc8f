import { timeoutError } from "@trigger.dev/core/v3";
import type { Waitpoint } from "../store/records.ts";
import { delayUntil } from "./delay-until.ts";
import type { Engine } from "./engine.ts";
import { expiryOf } from "./idempotency.ts";
import { completeWaitpoint, createWaitpoint } from "./waitpoints.ts";

interface Keyed {
  idempotencyKey?: string | undefined;
  idempotencyKeyTTL?: string | undefined;
}

/** A token that someone completes, or that times out. */
export function createToken(
  engine: Engine,
  body: Keyed & { timeout?: string | Date | undefined; tags?: string | string[] | undefined },
): { waitpoint: Waitpoint; isCached: boolean } {
  const known = findByKey(engine, "MANUAL", body.idempotencyKey);
  if (known) return { waitpoint: known, isCached: true };
  const dueAt = delayUntil(body.timeout, engine.clock.now());
  const tags = [body.tags ?? []].flat();
  return {
    waitpoint: createWaitpoint(engine, { type: "MANUAL", dueAt, tags, ...keyOf(engine, body) }),
    isCached: false,
  };
}

/** A waitpoint that completes by itself at `dueAt`. */
export function createDatetimeWaitpoint(engine: Engine, body: Keyed, dueAt: number): Waitpoint {
  return (
    findByKey(engine, "DATETIME", body.idempotencyKey) ??
    createWaitpoint(engine, { type: "DATETIME", dueAt, ...keyOf(engine, body) })
  );
}

/** The token has timed out: whoever waits for it gets an error. */
export function timeOut(engine: Engine, waitpoint: Waitpoint): void {
  if (waitpoint.completedAt !== undefined) return;
  waitpoint.timedOut = true;
  completeWaitpoint(engine, waitpoint, {
    output: JSON.stringify(timeoutError(new Date(waitpoint.dueAt ?? engine.clock.now()))),
    outputType: "application/json",
    outputIsError: true,
  });
}

function keyOf(engine: Engine, { idempotencyKey, idempotencyKeyTTL }: Keyed): Partial<Waitpoint> {
  if (idempotencyKey === undefined) return {};
  return { idempotencyKey, idempotencyKeyExpiresAt: expiryOf(idempotencyKeyTTL, engine.clock.now()) };
}

function findByKey(engine: Engine, type: Waitpoint["type"], key: string | undefined): Waitpoint | undefined {
  if (key === undefined) return undefined;
  const now = engine.clock.now();
  for (const waitpoint of engine.tables.waitpoints.values())
    if (
      waitpoint.type === type &&
      waitpoint.idempotencyKey === key &&
      (waitpoint.idempotencyKeyExpiresAt ?? 0) > now
    )
      return waitpoint;
  return undefined;
}
