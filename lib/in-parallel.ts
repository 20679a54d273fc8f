const WORKERS = 10;

/** Maps all items, at most 10 at a time, and keeps their order. Rejects with the first error. */
export async function inParallel<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const queue = items.entries();
  const work = async () => {
    for (const [index, item] of queue) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(WORKERS, items.length) }, work));
  return results;
}
