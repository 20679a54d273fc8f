type CleanUp = {
  /** What a row is called in the declaration, such as `user`. */
  row: string;
  /** The key of the deleted row, as text. */
  id: string;
  /** When the deletion was accepted, the same in every attempt. */
  requestedAt: Date;
  /** The same in every attempt of this deletion at this system, and in no other. */
  idempotencyKey: string;
  /** Aborted after a minute, or when the run is cancelled. */
  signal: AbortSignal;
};

/** A system that knows deleted users. `name` stays the same over time: the ledger refers to the system by it. */
export type ExternalSystem = {
  name: string;
  /**
   * Removes what the system has about a row. Resolves when it is clean, also when there was nothing. Rejects with a
   * StepError that says why; of any other error only the code is shown.
   */
  cleanUp(deletion: CleanUp): Promise<void>;
};
