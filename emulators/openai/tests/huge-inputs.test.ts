import { describe, expect, it } from "vitest";
import { openAIForTests } from "./open-ai-for-tests.ts";

const { refusal, post, stats } = openAIForTests();

describe("a huge input", () => {
  it.each([
    ["words", "word ".repeat(2_000_000)],
    ["blanks", " ".repeat(10_000_000)],
    ["punctuation without a break", "!".repeat(10_000_000)],
  ])("of 10 MB of %s is refused", async (_, input) => {
    expect(await refusal({ input })).toMatchObject({
      status: 400,
      message: expect.stringContaining("maximum context length"),
    });
  });

  it("that takes long to count does not hold up the server", async () => {
    const order: string[] = [];
    const input = endlessWord(4_000_000);
    const huge = refusal({ input }).then(({ status }) => order.push(`refused with ${status}`));
    await stats();
    order.push("another answer");
    await huge;
    expect(order).toEqual(["another answer", "refused with 400"]);
  });

  it("of more than 32 MB is refused with 413", async () => {
    expect((await post(" ".repeat(33 * 1024 * 1024))).status).toBe(413);
  });
});

function endlessWord(length: number): string {
  const letters = new Uint8Array(length);
  let state = 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    letters[index] = 97 + ((state >>> 16) % 26);
  }
  return Buffer.from(letters).toString("latin1");
}
