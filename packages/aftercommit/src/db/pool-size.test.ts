import { createServer, type Socket } from "node:net";
import { sql } from "drizzle-orm";
import { afterEach, expect, it, vi } from "vitest";
import { onFreePort } from "@/tests/helpers/on-free-port.ts";
import { until } from "@/tests/helpers/until.ts";
import { type Database, disconnect } from "./client.ts";
import { database, searchDatabase } from "./database.ts";

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

it("no delivery waits for a connection while searches have all of theirs", async () => {
  const waiting = new Set<Socket>();
  // Never answers.
  const server = createServer((socket) => void waiting.add(socket.on("error", () => {})));
  const { port, close } = await onFreePort(server);
  vi.stubEnv("DATABASE_URL", `postgres://postgres@127.0.0.1:${port}/postgres`);
  vi.stubEnv("DATABASE_POOL_SIZE", "2");
  const ask = (db: Database) => db.execute(sql`select 1`).catch((error: unknown) => error);
  const searches = Array.from({ length: 20 }, () => ask(searchDatabase()));
  await until(() => waiting.size === 2, { what: "the searches' connections" });
  const delivery = ask(database());
  await until(() => waiting.size === 3, { what: "the delivery's connection" });
  for (const socket of waiting) socket.destroy();
  server.on("connection", (socket) => socket.destroy());
  await Promise.all([...searches, delivery]);
  await close();
});
