import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startOpenAI } from "../start.ts";
import { serveApp } from "./serve.ts";

const lines: string[] = [];
let part: Awaited<ReturnType<typeof startOpenAI>>;
let site: Awaited<ReturnType<typeof serveApp>>;

beforeAll(async () => {
  part = await startOpenAI({ model: "hashing", log: (line) => lines.push(line) });
  site = await serveApp(part.app);
});
afterAll(async () => {
  await site.close();
  await part.close();
});
beforeEach(() => void lines.splice(0));

const setFault = (fault: unknown) =>
  fetch(`${site.url}/local/openai/faults`, { method: "POST", body: JSON.stringify(fault) });

const ask = (input: string[]) =>
  site.client.embeddings.create({ model: "text-embedding-3-small", input, encoding_format: "float" });

describe("a fault", () => {
  it("may have any body, also an error with 200, which the log does not count as embedded", async () => {
    await setFault({ status: 422, body: '{"detail":"Why not"}', times: 1 });
    await expect(ask(["a"])).rejects.toMatchObject({ status: 422 });
    await setFault({ status: 200, body: '{"error":"loading"}' });
    const answer = await ask(["a"]).asResponse();
    expect(await answer.json()).toEqual({ error: "loading" });
    expect(lines.at(-1)).toMatch(/^answered 200 in/);
  });

  it("may break the connection", async () => {
    await setFault({ drops: true });
    await expect(ask(["a"])).rejects.toThrow(/terminated|Connection error/);
  });

  const spoiled = async (spoils: string, containing?: string) => {
    await setFault({ spoils, containing });
    const answer = await ask(["good", "poison"]).asResponse();
    const { data } = await answer.json();
    return data.map(({ index, embedding: [first] }: { index?: number; embedding: unknown[] }) => [
      index,
      typeof first,
    ]);
  };

  it("may spoil the vectors, and the log says how many are good", async () => {
    const [no, number] = [undefined, "number"];
    // JSON has null for NaN.
    expect(await spoiled("nan", "poison")).toEqual([
      [0, number],
      [1, "object"],
    ]);
    expect(lines.at(-1)).toMatch(/^embedded 1 input/);
    expect(await spoiled("no index")).toEqual([
      [no, number],
      [1, number],
    ]);
    expect(lines.at(-1)).toMatch(/^embedded 2 inputs/);
    expect(await spoiled("same index")).toEqual([
      [1, number],
      [1, number],
    ]);
    expect(await spoiled("one short")).toEqual([[1, number]]);
    expect(lines.at(-1)).toMatch(/^answered 200/);
  });
});
