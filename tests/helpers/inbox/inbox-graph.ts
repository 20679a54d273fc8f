import type { Step } from "./inbox-step.ts";

/** What is known about the states of a scenario: where each step leads, or undefined if no one has taken it. */
export class Graph {
  /** Steps that no one has taken. */
  unknown = 0;
  readonly #states = new Map<string, Map<string, string | undefined>>();

  get size(): number {
    return this.#states.size;
  }

  /** Adds a state. Throws if other steps were possible before: then the key is incomplete. */
  add(key: string, steps: readonly Step[]): void {
    const known = this.#states.get(key);
    const labels = steps.map(({ label }) => label);
    if (!known) {
      this.#states.set(key, new Map(labels.map((label) => [label, undefined])));
      this.unknown += labels.length;
    } else if (known.size !== labels.length || labels.some((label) => !known.has(label)))
      throw new Error(`Other steps were possible here before: ${[...known.keys()].join("; ")}`);
  }

  isKnown(key: string, label: string): boolean {
    return this.#states.get(key)?.get(label) !== undefined;
  }

  /** Records where a step has led. Throws if it led elsewhere before. */
  connect(from: string, label: string, to: string): void {
    const steps = this.#states.get(from);
    const before = steps?.get(label);
    if (before === undefined) {
      this.unknown -= 1;
      steps?.set(label, to);
    } else if (before !== to) throw new Error(`The last step led elsewhere before:\n${before}\n${to}`);
  }

  /** The steps on a shortest known way to one that no one has taken. Empty if there is none. */
  wayToUnknown(from: string): string[] {
    const cameFrom = new Map<string, { key: string; label: string } | undefined>([[from, undefined]]);
    for (const key of cameFrom.keys())
      for (const [label, next] of this.#states.get(key) ?? []) {
        if (next !== undefined) {
          if (!cameFrom.has(next)) cameFrom.set(next, { key, label });
          continue;
        }
        const way = [label];
        for (let at = cameFrom.get(key); at; at = cameFrom.get(at.key)) way.unshift(at.label);
        return way;
      }
    return [];
  }
}
