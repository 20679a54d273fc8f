import { expect, it } from "vitest";
import { ndcg, recall } from "./relevance.ts";

const judgments = new Map([
  ["a", 2],
  ["b", 1],
  ["c", 0],
]);

it("NDCG@10 is 1 for the ideal order, and lower for each relevant document that comes later", () => {
  expect(ndcg(["a", "b", "x"], judgments)).toBe(1);
  expect(ndcg(["b", "a"], judgments)).toBeCloseTo((1 + 2 / Math.log2(3)) / (2 + 1 / Math.log2(3)));
  expect(ndcg(["x", "c"], judgments)).toBe(0);
  expect(ndcg([...Array(10).fill("x"), "a"], judgments)).toBe(0);
});

it("recall@100 is the share of the relevant documents among the first hundred", () => {
  expect(recall(["x", "b"], judgments)).toBe(0.5);
  expect(recall([...Array(100).fill("x"), "a"], judgments)).toBe(0);
});
