import { createServer, type Socket } from "node:net";
import { sql } from "drizzle-orm";
import { afterEach, expect, it, vi } from "vitest";
import { disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { database } from "../../packages/aftercommit/src/db/database.ts";
import { onFreePort } from "../on-free-port.ts";

afterEach(async () => {
  vi.unstubAllEnvs();
  await disconnect();
});

it.each([
  [undefined, 5],
  ["2", 2],
])("with DATABASE_POOL_SIZE=%s a process has at most %i connections", async (size, expected) => {
  const open = new Set<Socket>();
  let most = 0;
  // Answers no one until there are this many connections, and then closes all.
  const server = createServer((socket) => {
    open.add(socket.on("error", () => {}).on("close", () => open.delete(socket)));
    most = Math.max(most, open.size);
    if (most >= expected) for (const each of open) each.destroy();
  });
  const { port, close } = await onFreePort(server);
  vi.stubEnv("DATABASE_URL", `postgres://postgres@127.0.0.1:${port}/postgres`);
  vi.stubEnv("DATABASE_POOL_SIZE", size);
  await Promise.allSettled(Array.from({ length: 20 }, () => database().execute(sql`select 1`)));
  expect(most).toBe(expected);
  await close();
});
