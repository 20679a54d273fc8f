import { chanceOf } from "../seed.ts";
import { Graph } from "./inbox-graph.ts";
import { faultOf, finish } from "./inbox-quiet.ts";
import type { Step } from "./inbox-step.ts";
import type { World } from "./inbox-world.ts";

export type Explored = {
  walks: number;
  steps: number;
  states: number;
  /** States in which nothing more has to happen. */
  quiet: number;
  /** Steps of known states that no one has taken; 0 if every order has been tried. */
  unknown: number;
  /** Texts that were paid for twice, after a crash, an expired lease or a change of the models. */
  paidTwice: number;
};

const LONGEST = 60;

/** The next step from a state: one that no one has taken there, or the first on the way to one. */
function nextOf(graph: Graph, key: string, steps: readonly Step[], chance: () => number): Step | undefined {
  const unknown = steps.filter(({ label }) => !graph.isKnown(key, label));
  if (unknown.length > 0) return unknown[Math.floor(chance() * unknown.length)];
  const [label] = graph.wayToUnknown(key);
  return steps.find((each) => each.label === label);
}

/**
 * Walks through what can happen, on the real database, each time from the start to a quiet end. At each state it takes
 * a step that has not been taken there, or the shortest way to one. Rejects with the steps that led to a fault.
 */
export async function explore(
  open: () => Promise<World>,
  { most, seed }: { most: number; seed: number },
): Promise<Explored> {
  const chance = chanceOf(seed);
  const graph = new Graph();
  const quiet = new Set<string>();
  const done = { walks: 0, steps: 0, paidTwice: 0 };
  do {
    done.walks += 1;
    const world = await open();
    const path: string[] = [];
    const take = async ({ label, run }: Step) => {
      path.push(label);
      await run();
      await world.look();
    };
    try {
      await world.look();
      while (path.length < LONGEST) {
        const [key, steps] = [world.key(), world.steps()];
        graph.add(key, steps);
        if (steps.every(({ isOptional }) => isOptional)) quiet.add(key);
        const fault = faultOf(world, steps);
        if (fault) throw new Error(fault);
        const next = nextOf(graph, key, steps, chance);
        if (!next) break;
        await take(next);
        done.steps += 1;
        graph.connect(key, next.label, world.key());
      }
      await finish(world, take);
    } catch (cause) {
      const steps = path.map((label, n) => `  ${n + 1}. ${label}`).join("\n");
      const what = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${world.scenario.name}: ${what}\n${steps}`, { cause });
    }
    done.paidTwice += [...world.asks.values()].filter((times) => times > 1).length;
  } while (done.walks < most && graph.unknown > 0);
  return { ...done, states: graph.size, quiet: quiet.size, unknown: graph.unknown };
}
