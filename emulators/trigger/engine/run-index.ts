import type { Run } from "../store/records.ts";

/** Finds runs by their place in a family; derived from the runs. */
export class RunIndex {
  readonly #children = new Map<string, Set<string>>();
  readonly #debounced = new Map<string, string>();

  add(run: Run): void {
    if (run.parentId) {
      const children = this.#children.get(run.parentId);
      if (children) children.add(run.id);
      else this.#children.set(run.parentId, new Set([run.id]));
    }
    if (run.debounce && run.status === "DELAYED")
      this.#debounced.set(debounceId(run.task, run.debounce.key), run.id);
  }

  remove(run: Run): void {
    if (run.parentId) this.#children.get(run.parentId)?.delete(run.id);
    this.#children.delete(run.id);
  }

  children(runId: string): Iterable<string> {
    return this.#children.get(runId) ?? [];
  }

  /** The id of the run that this debounce key created last. It may no longer be delayed. */
  debounced(task: string, key: string): string | undefined {
    return this.#debounced.get(debounceId(task, key));
  }

  forgetDebounced(run: Run): void {
    if (!run.debounce) return;
    const id = debounceId(run.task, run.debounce.key);
    if (this.#debounced.get(id) === run.id) this.#debounced.delete(id);
  }
}

function debounceId(task: string, key: string): string {
  return JSON.stringify([task, key]);
}
