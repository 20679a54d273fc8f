/**
 * Keeps the last results by key, so that equal work is done once. A failure is not kept.
 * `keep(key, work)` settles as the work does, or did.
 */
export function keepLast<T>(most: number): (key: string, work: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, Promise<T>>();
  return (key, work) => {
    const result = kept.get(key) ?? work();
    kept.delete(key);
    kept.set(key, result);
    for (const oldest of kept.keys()) {
      if (kept.size <= most) break;
      kept.delete(oldest);
    }
    result.catch(() => {
      if (kept.get(key) === result) kept.delete(key);
    });
    return result;
  };
}
