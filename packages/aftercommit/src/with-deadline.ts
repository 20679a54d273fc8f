/** The work was not done in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/**
 * Settles as the work does, or rejects with DeadlineError at the deadline (Unix milliseconds); then the work itself
 * goes on. It is not begun when the deadline has passed.
 */
export async function withDeadline<T>(work: () => Promise<T>, deadline: number): Promise<T> {
  const wait = deadline - Date.now();
  if (wait <= 0) throw new DeadlineError("no time left in this delivery");
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
