import { afterAll, beforeAll, expect, it } from "vitest";
import { startFreshPostgres } from "@/tests/helpers/postgres.ts";
import { withLongConnection } from "./long-connection.ts";

let database: Awaited<ReturnType<typeof startFreshPostgres>>;
beforeAll(async () => {
  database = await startFreshPostgres();
});
afterAll(() => database.close());

it("has no statement timeout, although its sessions begin with one", async () => {
  const url = new URL(database.url);
  // A role or a database may set one.
  url.searchParams.set("options", "-c statement_timeout=7s");
  const { rows } = await withLongConnection(url.href, (client) => client.query("show statement_timeout"));
  expect(rows).toEqual([{ statement_timeout: "0" }]);
});
