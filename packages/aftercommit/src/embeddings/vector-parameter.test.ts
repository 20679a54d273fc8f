import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { databaseForTests } from "@/tests/helpers/posts-database.ts";
import { vectorParameter } from "./vector-parameter.ts";

const database = databaseForTests();

/** Numbers of all sizes, the same in each run. */
function* numbers(): Generator<number> {
  for (let seed = 1; ; ) {
    seed = (seed * 48_271) % 2_147_483_647;
    const sign = seed % 2 === 0 ? 1 : -1;
    yield sign * (1 + (seed % 100_003) / 100_003) * 2 ** ((seed % 48) - 32);
  }
}

const halfvec = (vector: Float32Array) => sql`${vectorParameter(vector)}::vector::halfvec`;

async function bothWays(vector: Float32Array) {
  const { rows } = await database.db.execute<{ binary: string; text: string }>(
    sql`select ${halfvec(vector)}::text as binary, ${`[${vector.join(",")}]`}::halfvec::text as text`,
  );
  return rows[0];
}

describe("a vector that is sent in its binary form is stored as its text would be", () => {
  it.each([1, 3, 1_536, 4_000])("with %s dimensions", async (dimensions) => {
    const all = numbers();
    for (let round = 0; round < 5; round += 1) {
      const vector = Float32Array.from({ length: dimensions }, () => {
        const { value } = all.next();
        return Math.abs(value) > 65_504 ? 1 : value;
      });
      const sent = await bothWays(vector);
      expect(sent?.binary).toBe(sent?.text);
    }
  });

  it("at each boundary between two halves", async () => {
    const boundaries = Array.from({ length: 1_000 }, (_, index) => {
      const exponent = (index % 40) - 25;
      return [1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 - 2 ** -11].map((number) => number * 2 ** exponent);
    }).flat();
    const sent = await bothWays(Float32Array.from(boundaries.filter((number) => number < 65_504)));
    expect(sent?.binary).toBe(sent?.text);
  });
});

it.each([65_520, 1e30, Number.NaN])("Postgres rejects %s, also in the binary form", async (number) => {
  await expect(database.db.execute(sql`select ${halfvec(Float32Array.of(number))}`)).rejects.toThrow();
});
