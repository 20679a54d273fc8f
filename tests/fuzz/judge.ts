import { z } from "zod";
import type { FuzzRequest } from "./request.ts";
import type { Answer } from "./wire.ts";

/**
 * What a response says was done: the runs that it names, and how many messages were accepted, with or without a run.
 */
type Told = { runs: string[]; accepted: number };

const counts = z.object({ triggered: z.number(), pending: z.number(), runs: z.array(z.string()) });
const toldBy = z.union([
  z.object({ id: z.string() }).transform(({ id }): Told => ({ runs: [id], accepted: 1 })),
  counts.transform(({ triggered, pending, runs }): Told => ({ runs, accepted: triggered + pending })),
  z.object({ pending: z.number() }).transform(({ pending }): Told => ({ runs: [], accepted: pending })),
]);

function toldIn(body: string): Told {
  const nothing = { runs: [], accepted: 0 };
  // Next.js sends what is written in one call as one chunk.
  const json = /\{.*\}/s.exec(body)?.[0];
  try {
    return toldBy.safeParse(JSON.parse(json ?? "null")).data ?? nothing;
  } catch {
    return nothing;
  }
}

/** What is wrong with a response; undefined if nothing is. `runs` are those that it names. */
export function judge(request: FuzzRequest, { status, body }: Answer): { problem?: string; runs: string[] } {
  const { runs, accepted } = toldIn(body);
  const isAsPlanned = status === 0 ? request.mayClose === true : request.statuses.includes(status);
  const wanted = `${request.statuses.join(" or ")}${request.mayClose ? " or a closed connection" : ""}`;
  if (!isAsPlanned)
    return { runs, problem: `answered ${status || "nothing"} instead of ${wanted}: ${body.slice(0, 300)}` };
  const valid = request.accepts?.length ?? 0;
  if (accepted !== valid) return { runs, problem: `accepted ${accepted} messages of ${valid}` };
  return { runs };
}
