const LANES = 5;

/**
 * The concurrency key of a user's deletion: the runs of one user never overlap, and five deletions at most are under
 * way. In development a run that waits for its children keeps its process and its place among the environment's
 * concurrent runs, so a transaction that deletes hundreds of users would leave no place for the children.
 */
export function laneOf(userId: string): string {
  return `lane-${Number.parseInt(userId.slice(-4), 16) % LANES}`;
}
