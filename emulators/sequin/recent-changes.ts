import type { Change } from "./capture/change.ts";

const KEPT = 2000;

/**
 * Changes that were just taken from the outbox, by delivery id, so that a first delivery need not read its change
 * again.
 */
export class RecentChanges {
  readonly #changes = new Map<number, Change>();

  put(deliveryId: number, change: Change): void {
    if (this.#changes.size < KEPT) this.#changes.set(deliveryId, change);
  }

  /** Returns each change once. Changes that it does not have come from `load`. */
  async take(
    ids: number[],
    load: (ids: number[]) => Promise<Map<number, Change>>,
  ): Promise<Map<number, Change>> {
    const found = new Map<number, Change>();
    for (const id of ids) {
      const change = this.#changes.get(id);
      if (change) found.set(id, change);
      this.#changes.delete(id);
    }
    const missing = ids.filter((id) => !found.has(id));
    return missing.length === 0 ? found : new Map([...found, ...(await load(missing))]);
  }
}
