const WORKERS = 10;

/**
 * Maps all items, at most 10 at a time, and keeps their order. After an error it starts no more items, and rejects with
 * the first error when the running ones have ended.
 */
export async function mapConcurrent<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const failure = new AbortController();
  const queue = items.entries();
  const work = async () => {
    for (const [index, item] of queue) {
      if (failure.signal.aborted) return;
      try {
        results[index] = await map(item);
      } catch (error) {
        failure.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(WORKERS, items.length) }, work));
  failure.signal.throwIfAborted();
  return results;
}
