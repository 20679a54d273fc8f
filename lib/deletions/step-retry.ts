/** Five attempts, 1, 2, 4 and 8 seconds apart: what Temporal's guide gives an activity. */
export const STEP_RETRY = {
  maxAttempts: 5,
  factor: 2,
  minTimeoutInMs: 1_000,
  maxTimeoutInMs: 60_000,
  randomize: false,
  // A process that is killed is taken for one out of memory, and has no other attempt without a machine for it.
  outOfMemory: { machine: "small-2x" as const },
};
