import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { laneOf } from "../../lib/deletions/lane-of.ts";

it("puts the runs of one user into one lane, and all users into five", () => {
  const users = Array.from({ length: 500 }, () => randomUUID());
  expect(users.map(laneOf)).toEqual(users.map(laneOf));
  expect([...new Set(users.map(laneOf))].sort()).toEqual(["lane-0", "lane-1", "lane-2", "lane-3", "lane-4"]);
});
