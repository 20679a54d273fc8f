type CleanUp = {
  userId: string;
  /** When the ledger took the deletion, the same in every attempt. */
  requestedAt: Date;
  /** The same in every attempt of this deletion at this system, and in no other. */
  idempotencyKey: string;
  /** Aborted after a minute, or when the run is cancelled. */
  signal: AbortSignal;
};

/** A system that knows users. `name` stays the same over time: the ledger remembers by it what is to be done, and is. */
export type ExternalSystem = {
  name: string;
  /**
   * Removes what the system has about the user. Resolves when it is clean, also when there was nothing. Rejects with a
   * StepError that says why; of any other error only the code is told.
   */
  cleanUp(deletion: CleanUp): Promise<void>;
};
