import { mkdir } from "node:fs/promises";
import { ClassicLevel } from "classic-level";
import { WorkSignal } from "../work-signal.ts";

/**
 * A key-value folder that is written in atomic batches: every change marked since the last batch goes into the next
 * one, and `commit` resolves when all changes marked so far are in the file. The contents of a failed batch (the disk
 * was full) go into the next one.
 *
 * A batch is handed to the operating system, not forced to the disk: it survives the death of this process at any
 * moment, but may not survive a power failure.
 */
export class LevelStore {
  /** Wakes after each written batch. */
  readonly written = new WorkSignal();
  readonly #db: ClassicLevel<string, string>;
  readonly #dirty = new Map<string, () => string | undefined>();
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #failed = false;

  private constructor(db: ClassicLevel<string, string>) {
    this.#db = db;
  }

  /** Throws if another process has the folder open. */
  static async open(folder: string): Promise<LevelStore> {
    await mkdir(folder, { recursive: true });
    const db = new ClassicLevel<string, string>(folder);
    try {
      await db.open();
    } catch (error) {
      if (isLocked(error))
        throw new Error(`${folder} is in use: another local stack is running with this data folder`, {
          cause: error,
        });
      throw error;
    }
    return new LevelStore(db);
  }

  entries(): AsyncIterable<[string, string]> {
    return this.#db.iterator();
  }

  /** `read` is called when the batch is written; undefined deletes the key. */
  mark(key: string, read: () => string | undefined): void {
    this.#dirty.set(key, read);
    this.commit().catch(() => undefined);
  }

  commit(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#dirty.size === 0) return this.#writing;
    const write = () => this.#write();
    this.#next = this.#writing.then(write, write);
    this.#writing = this.#next;
    return this.#next;
  }

  async close(): Promise<void> {
    await this.commit();
    await this.#db.close();
  }

  async #write(): Promise<void> {
    this.#next = undefined;
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    const batch = dirty.map(([key, read]) => {
      const value = read();
      return value === undefined ? { type: "del" as const, key } : { type: "put" as const, key, value };
    });
    try {
      if (this.#failed) await this.#reopen();
      await this.#db.batch(batch);
    } catch (error) {
      this.#failed = true;
      for (const [key, read] of dirty) this.#dirty.set(key, read);
      throw error;
    }
    this.written.wake();
  }

  /** After a truncated record, LevelDB continues writing its log, and drops what follows it when it reads the log. */
  async #reopen(): Promise<void> {
    await this.#db.close();
    await this.#db.open();
    this.#failed = false;
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && "code" in error.cause
    ? error.cause.code === "LEVEL_LOCKED"
    : false;
}
