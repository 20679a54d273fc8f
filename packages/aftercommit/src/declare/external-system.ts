import type { Duration } from "./duration.ts";

/** The deleted row, as a system gets it. */
export type DeletedRow = {
  /** What a row is called in the declaration, such as `user`. */
  row: string;
  /** The key of the deleted row, as text. */
  id: string;
  /** The address in the row, where the system asks for it by `email: true`; null where there was none. */
  email: string | null;
  /** When the deletion was accepted, the same in every attempt. */
  requestedAt: Date;
  /**
   * The same in every attempt of this deletion at this system, and in no other. Another one after the system said that it
   * was clean, and was not.
   */
  idempotencyKey: string;
};

/** `signal` is aborted after a minute, or when the run is cancelled. */
type Step = DeletedRow & { signal: AbortSignal };

/** An HTTP request to a system. */
export type SystemRequest = { method: string; url: string; headers?: Record<string, string>; body?: string };

/** A system that knows deleted users. `name` stays the same over time: the ledger refers to the system by it. */
export type ExternalSystem = {
  name: string;
  /**
   * Removes what the system has about a row. Resolves when it is clean, also when there was nothing. Rejects with a
   * StepError that says why; of any other error only the code is shown.
   */
  cleanUp(deletion: Step): Promise<void>;
  /** Looks whether the system still has something about the row, after each clean-up. The e-mail waits for it. */
  verify?(deletion: Step): Promise<{ found: boolean }>;
  /** Gives the system the row's e-mail address. */
  email?: true;
  /** How long the system is not called after the deletion. A row that exists again by then ends the deletion. */
  after?: Duration;
  /** What `cleanUp` sends, or undefined where it sends nothing: for the preview and the doctor. */
  request?(deletion: DeletedRow): SystemRequest | undefined;
  /** Sends an event that deletes nothing, for `npx aftercommit doctor --test-webhooks`. Rejects with StepError. */
  test?(event: { row: string; signal: AbortSignal }): Promise<void>;
};
