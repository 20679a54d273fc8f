import { Sorted } from "./sorted.ts";

/** A message that waits for its delivery to one sink. Ids grow in commit order. */
export type Entry = {
  id: number;
  group: string | null;
  /** A backfilled row: changes of other rows go first. */
  read: boolean;
  /** How often its delivery has failed. */
  deliverCount: number;
};

type Group = { key: string; ready: Sorted<Entry>; busy: boolean; listed: Sorted<Group> | null; rank: number };

/**
 * Decides what a sink delivers next, like Sequin's message store (slot_message_store_state.ex): one message of a group
 * at a time, oldest first; changes before backfilled rows, unless both are in one group. A message that fails releases
 * its group immediately, so newer messages of the row overtake it.
 */
export class DeliveryQueue {
  readonly #groups = new Map<string, Group>();
  readonly #changes = new Sorted<Group>((group) => group.rank);
  readonly #reads = new Sorted<Group>((group) => group.rank);
  readonly #asleep = new Sorted<{ entry: Entry; dueAt: number }>((sleeper) => sleeper.dueAt);
  readonly #busy = new Map<number, Group>();

  /** How many messages are waiting or in flight. */
  get size(): number {
    let ready = 0;
    for (const group of this.#groups.values()) ready += group.ready.items.length;
    return ready + this.#asleep.items.length + this.#busy.size;
  }

  /** How many could be taken now. */
  get ready(): number {
    return this.#changes.items.length + this.#reads.items.length;
  }

  add(entry: Entry): void {
    const group = this.#groupOf(entry);
    group.ready.add(entry);
    this.#list(group);
  }

  /** At most `limit` messages, at most one per group. Each must be returned with `release` or `postpone`. */
  take(limit: number): Entry[] {
    const taken: Entry[] = [];
    while (taken.length < limit) {
      const group = this.#changes.first() ?? this.#reads.first();
      const entry = group?.ready.shift();
      if (!group || !entry) break;
      group.busy = true;
      this.#list(group);
      this.#busy.set(entry.id, group);
      taken.push(entry);
    }
    return taken;
  }

  /** The message is finished: acknowledged or discarded. */
  release(entry: Entry): void {
    const group = this.#busy.get(entry.id);
    if (!group) return;
    this.#busy.delete(entry.id);
    group.busy = false;
    if (group.ready.items.length === 0) this.#groups.delete(group.key);
    this.#list(group);
  }

  /** The message waits until `dueAt`; its group does not. */
  postpone(entry: Entry, dueAt: number): void {
    this.release(entry);
    this.#asleep.add({ entry, dueAt });
  }

  /** Makes every failed message due now. Returns how many there were. */
  wakeAll(): number {
    return this.wake(Number.POSITIVE_INFINITY);
  }

  /** Makes the waiting message with this id due now. Returns whether it was waiting. */
  wakeOne(id: number): boolean {
    const sleeper = this.#asleep.items.find(({ entry }) => entry.id === id);
    if (!sleeper) return false;
    this.#asleep.remove(sleeper);
    this.add(sleeper.entry);
    return true;
  }

  /** Makes the failed messages due whose backoff is over. Returns how many there were. */
  wake(now: number): number {
    let woken = 0;
    for (let next = this.#asleep.first(); next && next.dueAt <= now; next = this.#asleep.first()) {
      this.#asleep.shift();
      this.add(next.entry);
      woken++;
    }
    return woken;
  }

  #groupOf(entry: Entry): Group {
    const key = entry.group ?? `#${entry.id}`;
    const known = this.#groups.get(key);
    if (known) return known;
    const ready = new Sorted<Entry>((waiting) => waiting.id);
    const group: Group = { key, ready, busy: false, listed: null, rank: 0 };
    this.#groups.set(key, group);
    return group;
  }

  /** Puts the group where its oldest message belongs. A group with any change is among the changes. */
  #list(group: Group): void {
    group.listed?.remove(group);
    group.listed = null;
    const oldest = group.ready.first();
    if (group.busy || !oldest) return;
    group.rank = oldest.id;
    group.listed = group.ready.items.every((entry) => entry.read) ? this.#reads : this.#changes;
    group.listed.add(group);
  }
}
