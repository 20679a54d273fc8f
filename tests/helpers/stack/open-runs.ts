import { z } from "zod";
import { TRIGGER_SECRET_KEY } from "../../../emulators/stack/emulators.ts";
import type { DevStack } from "./dev-stack.ts";

const list = z.object({ data: z.array(z.object({ finishedAt: z.string().nullish() })) });

async function newestRuns(stack: DevStack) {
  const response = await fetch(`http://127.0.0.1:${stack.ports.http}/api/v1/runs?page[size]=100`, {
    headers: { authorization: `Bearer ${TRIGGER_SECRET_KEY}` },
  });
  return list.parse(await response.json()).data;
}

/** How many runs the stack's Trigger.dev has had, at most a hundred. */
export async function countRuns(stack: DevStack): Promise<number> {
  return (await newestRuns(stack)).length;
}

/** How many of the newest hundred have not ended. */
export async function openRuns(stack: DevStack): Promise<number> {
  return (await newestRuns(stack)).filter(({ finishedAt }) => !finishedAt).length;
}
