import { z } from "zod";
import type { FuzzRequest } from "./request.ts";
import type { Answer } from "./wire.ts";

const answered = z.union([
  z.object({ id: z.string() }).transform(({ id }) => [id]),
  z.object({ runs: z.array(z.string()) }).transform(({ runs }) => runs),
]);

/** The runs that an answer names. */
function runsIn(body: string): string[] {
  // Next.js sends what is written in one go as one chunk.
  const json = /\{.*\}/s.exec(body)?.[0];
  try {
    return answered.safeParse(JSON.parse(json ?? "null")).data ?? [];
  } catch {
    return [];
  }
}

/** What is wrong with an answer; undefined where nothing is. `runs` are those that it names. */
export function judge(request: FuzzRequest, { status, body }: Answer): { problem?: string; runs: string[] } {
  const runs = runsIn(body);
  const isAsPlanned = status === 0 ? request.mayClose === true : request.statuses.includes(status);
  const wanted = `${request.statuses.join(" or ")}${request.mayClose ? " or a closed connection" : ""}`;
  if (!isAsPlanned)
    return { runs, problem: `answered ${status || "nothing"} instead of ${wanted}: ${body.slice(0, 300)}` };
  if (request.triggers && runs.length === 0) return { runs, problem: "triggered nothing, and is valid" };
  if (!request.triggers && runs.length > 0) return { runs, problem: `triggered ${runs.join(", ")}` };
  return { runs };
}
