import { mkdir } from "node:fs/promises";
import { ClassicLevel } from "classic-level";
import { WorkSignal } from "../work-signal.ts";

/**
 * A key-value folder that is written in atomic batches: every change marked since the last batch goes into
 * the next one, and `commit` resolves when all changes marked so far are in the file.
 * A batch is handed to the operating system, not forced to the disk: it survives the death of this process
 * at any moment, and may not survive the loss of power.
 */
export class LevelStore {
  /** Wakes after each written batch. */
  readonly written = new WorkSignal();
  readonly #db: ClassicLevel<string, string>;
  readonly #dirty = new Map<string, () => string | undefined>();
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(db: ClassicLevel<string, string>) {
    this.#db = db;
  }

  /** Throws when another process has the folder open. */
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
    this.#next = this.#writing.then(() => {
      this.#next = undefined;
      return this.#write();
    });
    this.#writing = this.#next;
    return this.#next;
  }

  async close(): Promise<void> {
    await this.commit();
    await this.#db.close();
  }

  #write(): Promise<void> {
    const batch = [...this.#dirty].map(([key, read]) => {
      const value = read();
      return value === undefined ? { type: "del" as const, key } : { type: "put" as const, key, value };
    });
    this.#dirty.clear();
    return this.#db.batch(batch).then(() => this.written.wake());
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && "code" in error.cause
    ? error.cause.code === "LEVEL_LOCKED"
    : false;
}
