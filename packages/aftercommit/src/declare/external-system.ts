import type { Duration } from "./duration.ts";

/** The deleted row, as a system receives it. */
export type DeletedRow = {
  /** The name of a row in the declaration, such as `user`. */
  row: string;
  /** The key of the deleted row, as text. */
  id: string;
  /** The address in the row, if the system asks for it with `email: true`; null if there is none. */
  email: string | null;
  /** When the deletion was accepted, the same in every attempt. */
  requestedAt: Date;
  /**
   * The same for every attempt of this deletion at this system, and different for every other. It changes after the
   * system reported that it was clean and was not.
   */
  idempotencyKey: string;
};

/** `signal` is aborted after one minute, or when the run is canceled. */
type Step = DeletedRow & { signal: AbortSignal };

/** An HTTP request to a system. */
export type SystemRequest = { method: string; url: string; headers?: Record<string, string>; body?: string };

/** A system that stores data about deleted users. `name` never changes: the ledger refers to the system by it. */
export type ExternalSystem = {
  name: string;
  /**
   * Removes what the system has about a row. Resolves when the system is clean, even if it had nothing. Rejects with a
   * StepError that says why; of any other error, only the code is shown.
   */
  cleanUp(deletion: Step): Promise<void>;
  /** Checks, after each clean-up, whether the system still has something about the row. The e-mail waits for it. */
  verify?(deletion: Step): Promise<{ found: boolean }>;
  /** Passes the row's e-mail address to the system. */
  email?: true;
  /** A grace period: the system is not called until then. If the row exists again by then, the deletion ends. */
  after?: Duration;
  /** What `cleanUp` sends, or undefined if it sends nothing. The preview and the doctor use it. */
  request?(deletion: DeletedRow): SystemRequest | undefined;
  /** Sends an event that deletes nothing, for `npx aftercommit doctor --test-webhooks`. Rejects with StepError. */
  test?(event: { row: string; signal: AbortSignal }): Promise<void>;
};
