/** The work did not finish in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/**
 * Settles like the work, or rejects with DeadlineError at the deadline (Unix milliseconds), while the work itself
 * continues. Does not start the work if the deadline has passed.
 */
export async function withDeadline<T>(work: () => Promise<T>, deadline: number): Promise<T> {
  const wait = deadline - Date.now();
  if (wait <= 0) throw new DeadlineError("no time is left");
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`no answer in ${wait} ms`)), wait);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
