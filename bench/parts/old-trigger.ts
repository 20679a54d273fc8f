import type { Server } from "node:http";
import { connect } from "node:net";
import { Hono } from "hono";
import { proxy } from "hono/proxy";
import { z } from "zod";
import { serve } from "../../tests/helpers/serve.ts";

// What a server of Trigger.dev tells the CLI by default: how long it waits before it asks for the next run.
const INTERVALS = { dequeueIntervalWithRun: 250, dequeueIntervalWithoutRun: 1_000 };

const worker = z.looseObject({
  metadata: z.looseObject({ tasks: z.array(z.looseObject({})), concurrencyLimits: z.unknown() }),
});

/** Passes WebSockets on. */
function passUpgrades(server: Server, { hostname, port }: URL): void {
  server.on("upgrade", (request, socket, head) => {
    const upstream = connect(Number(port), hostname, () => {
      const headers = request.rawHeaders.map((text, index) =>
        index % 2 === 0 ? `${text}: ` : `${text}\r\n`,
      );
      upstream.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream])
      end.on("error", () => [socket, upstream].map((each) => each.destroy()));
  });
}

/**
 * A Trigger.dev server as older ones are, in front of the emulator: it ignores concurrency limits, and has the CLI wait
 * 250 ms after each run that it takes.
 */
export async function startOldTrigger(target: string) {
  const at = (url: string) => target + url.slice(new URL(url).origin.length);
  const app = new Hono()
    .post("/api/v1/projects/:ref/background-workers", async (c) => {
      const { metadata, ...body } = worker.parse(await c.req.json());
      const tasks = metadata.tasks.map((task) => ({ ...task, concurrency: undefined }));
      const ignored = { ...body, metadata: { ...metadata, tasks, concurrencyLimits: undefined } };
      const headers = { authorization: c.req.header("authorization"), "content-type": "application/json" };
      return proxy(at(c.req.url), { method: "POST", headers, body: JSON.stringify(ignored) });
    })
    .get("/engine/v1/dev/config", async (c) => {
      const config = await (await proxy(at(c.req.url), c.req)).json();
      return c.json({ ...config, ...INTERVALS });
    })
    .all("*", (c) => proxy(at(c.req.url), c.req));
  return serve([app], (server) => passUpgrades(server, new URL(target)));
}
