import { expect, it } from "vitest";
import { readText } from "./read-text.ts";

/** A request whose body comes from a stream's source. */
function requestWith(source: UnderlyingDefaultSource<Uint8Array>): Request {
  const init: RequestInit & { duplex: "half" } = {
    method: "POST",
    body: new ReadableStream(source),
    duplex: "half",
  };
  return new Request("http://localhost/", init);
}

const start = new TextEncoder().encode('{"data":[');

it("a body that does not end is answered 408, and read no further", async () => {
  let canceled = false;
  const request = requestWith({
    start: (controller) => controller.enqueue(start),
    cancel: () => {
      canceled = true;
    },
  });
  await expect(readText(request, { deadline: Date.now() + 50, shortened: true })).rejects.toMatchObject({
    status: 408,
  });
  expect(canceled).toBe(true);
});

it("a body that breaks off is answered 400, because it is not the server's fault", async () => {
  const request = requestWith({
    pull(controller) {
      controller.error(new Error("aborted"));
    },
  });
  await expect(readText(request, { deadline: Date.now() + 60_000, shortened: true })).rejects.toMatchObject({
    status: 400,
  });
});

it("a large body in many pieces keeps its messages, and loses the ends of their texts", async () => {
  const piece = new TextEncoder().encode("lorem ipsum ".repeat(80_000));
  let left = 45;
  const request = requestWith({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"id":1,"body":"')),
    pull(controller) {
      left -= 1;
      if (left > 0) return controller.enqueue(piece);
      controller.enqueue(new TextEncoder().encode('","author":"Jane"}'));
      controller.close();
    },
  });
  const text = await readText(request, { deadline: Date.now() + 60_000, shortened: true });
  expect(JSON.parse(text)).toEqual({
    id: 1,
    body: "lorem ipsum ".repeat(342).slice(0, 4_096),
    author: "Jane",
  });
});
