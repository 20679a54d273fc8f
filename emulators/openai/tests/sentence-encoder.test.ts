import { afterAll, beforeAll, expect, it } from "vitest";
import { startOpenAI } from "../start.ts";
import { cosine, length } from "./cosine.ts";
import { serveApp } from "./serve.ts";

const model = "text-embedding-3-small";
const texts = {
  bread: "Knead the dough for ten minutes, let it rise, and bake the loaf until the crust is golden.",
  backup: "The server keeps a backup of every record, so no data is lost when a disk breaks.",
  football: "The striker scored twice in the second half and her team won the cup.",
  doctor: "The physician examined the patient, prescribed antibiotics and advised rest.",
  space: "The rocket lifted off at dawn and put a telescope into orbit around the Earth.",
  money: "Interest rates rose again, so mortgages became more expensive for families.",
  dog: "Our puppy chewed a shoe, wagged his tail and fell asleep on the sofa.",
  holiday: "We spent a week at the beach, swimming in the sea and reading under an umbrella.",
};
let part: Awaited<ReturnType<typeof startOpenAI>>;
let site: Awaited<ReturnType<typeof serveApp>>;
let vectors: number[][];

beforeAll(async () => {
  part = await startOpenAI({ model: "universal-sentence-encoder-lite", log: () => {} });
  site = await serveApp(part.app);
  vectors = await embed(Object.values(texts));
});

afterAll(async () => {
  await site.close();
  await part.close();
});

async function embed(input: string[], dimensions?: number): Promise<number[][]> {
  const { data } = await site.client.embeddings.create({ model, input, dimensions });
  return data.map((item) => item.embedding);
}

async function similarity(left: string, right: string, dimensions?: number): Promise<number> {
  const [first = [], second = []] = await embed([left, right], dimensions);
  return cosine(first, second);
}

const words = (text: string): string[] => text.toLowerCase().match(/\p{L}+/gu) ?? [];

it.each<[string, keyof typeof texts]>([
  ["making pastry with flour in an oven", "bread"],
  ["protecting files against hardware failure", "backup"],
  ["soccer goals", "football"],
  ["medicine for a sick person", "doctor"],
  ["satellites, astronauts", "space"],
  ["bank loans cost much", "money"],
  ["young pets at home", "dog"],
  ["summer vacation with sunshine", "holiday"],
])("'%s' finds the text about %s first, without a shared word", async (query, name) => {
  expect(words(query).filter((word) => words(texts[name]).includes(word))).toEqual([]);
  const [asked = []] = await embed([query]);
  const ranked = Object.keys(texts)
    .map((key, index) => ({ key, score: cosine(asked, vectors[index] ?? []) }))
    .sort((left, right) => right.score - left.score);
  expect(ranked[0]?.key).toBe(name);
});

it("a vector has unit length, and zeros after the model's 512 dimensions", async () => {
  const [vector = []] = await embed([texts.dog]);
  expect(vector).toHaveLength(1_536);
  expect(length(vector)).toBeCloseTo(1, 5);
  expect(length(vector.slice(0, 512))).toBeCloseTo(1, 5);
});

it("512 dimensions or more keep each cosine as it is; fewer keep its sense", async () => {
  const whole = await similarity(texts.dog, "young pets at home");
  expect(await similarity(texts.dog, "young pets at home", 512)).toBeCloseTo(whole, 6);
  expect(await similarity(texts.dog, "young pets at home", 1_000)).toBeCloseTo(whole, 6);
  expect(Math.abs((await similarity(texts.dog, "young pets at home", 256)) - whole)).toBeLessThan(0.1);
});

it("the last sentence of a long text counts as much as its first", async () => {
  const filler = Array<string>(12).fill(texts.money).join(" ");
  const first = await similarity(`${texts.space} ${filler}`, texts.space);
  const last = await similarity(`${filler} ${texts.space}`, texts.space);
  const none = await similarity(filler, texts.space);
  expect(last - none).toBeGreaterThan(0.02);
  expect(last).toBeGreaterThan(none + (first - none) / 2);
});

it("line breaks and repeated blanks do not change the meaning", async () => {
  expect(await similarity(texts.bread, `\n${texts.bread.replaceAll(" ", " \r\n\t ")}\n`)).toBeCloseTo(1, 5);
});

it("a text is embedded alike alone and among others", async () => {
  const [alone = []] = await embed([texts.space]);
  const [, among = []] = await embed([texts.bread, texts.space, texts.dog]);
  expect(among).toEqual(alone);
});

it.each(["  \n ", "🦄", "x".repeat(300), "数据库复制"])("'%s' has a vector as well", async (text) => {
  const [vector = []] = await embed([text]);
  expect(length(vector)).toBeCloseTo(1, 5);
});

it("a small call overtakes a large one", async () => {
  const order: string[] = [];
  const large = embed(Array<string>(30).fill(texts.dog)).then(() => order.push("large"));
  const small = embed(["hello"]).then(() => order.push("small"));
  await Promise.all([large, small]);
  expect(order).toEqual(["small", "large"]);
});
