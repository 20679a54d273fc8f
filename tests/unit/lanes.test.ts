import { describe, expect, it } from "vitest";
import { lanesOf } from "../../lib/embeddings/lanes.ts";

const asked = (count: number, read = false, first = 0) =>
  Array.from({ length: count }, (_, index) => ({
    id: String(first + index),
    key: `key ${first + index}`,
    read,
  }));

describe("what a delivery asks for", () => {
  it("is a live run for each of up to ten changes", () => {
    expect(lanesOf(asked(10))).toEqual({ live: asked(10), bulk: [] });
  });

  it("is one urgent bulk run for more changes", () => {
    const { live, bulk } = lanesOf(asked(11));
    expect(live).toEqual([]);
    expect(bulk).toMatchObject([{ rows: asked(11), urgent: true }]);
  });

  it("is one bulk run that is not urgent for the rows of a backfill, be it one row", () => {
    expect(lanesOf(asked(1, true))).toMatchObject({
      live: [],
      bulk: [{ rows: asked(1, true), urgent: false }],
    });
  });

  it("keeps edits live that come in one delivery with a backfill", () => {
    const { live, bulk } = lanesOf([...asked(2), ...asked(300, true, 2)]);
    expect(live).toEqual(asked(2));
    expect(bulk).toMatchObject([{ rows: asked(300, true, 2), urgent: false }]);
  });

  it("is nothing where nothing is asked for", () => {
    expect(lanesOf([])).toEqual({ live: [], bulk: [] });
  });
});

describe("the key of a bulk run", () => {
  const keyOf = (rows: ReturnType<typeof asked>) => lanesOf(rows).bulk[0]?.key;

  it("is the same for the same messages in another order", () => {
    expect(keyOf(asked(20).reverse())).toBe(keyOf(asked(20)));
  });

  it("is another where one message is", () => {
    expect(keyOf(asked(20, false, 1))).not.toBe(keyOf(asked(20)));
    expect(keyOf(asked(19))).not.toBe(keyOf(asked(20)));
  });
});
