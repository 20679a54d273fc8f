/** How relevant documents are to a query; those that nobody judged are not. */
export type Judgments = ReadonlyMap<string, number>;

const gain = (grade: number, index: number) => grade / Math.log2(index + 2);

/** NDCG@10: 1 for the ideal order. */
export function ndcg(ids: readonly string[], judgments: Judgments): number {
  const ideal = [...judgments.values()].toSorted((a, b) => b - a).slice(0, 10);
  const best = ideal.reduce((sum, grade, index) => sum + gain(grade, index), 0);
  const got = ids.slice(0, 10).reduce((sum, id, index) => sum + gain(judgments.get(id) ?? 0, index), 0);
  return best === 0 ? 0 : got / best;
}

/** Recall@100: the share of the relevant documents among the first hundred. */
export function recall(ids: readonly string[], judgments: Judgments): number {
  const relevant = [...judgments].filter(([, grade]) => grade > 0).map(([id]) => id);
  const found = new Set(ids.slice(0, 100));
  return relevant.filter((id) => found.has(id)).length / Math.max(1, relevant.length);
}
