import { afterAll, beforeAll, expect, it } from "vitest";
import { startFreshPostgres } from "@/tests/helpers/postgres.ts";
import { withLongConnection } from "./long-connection.ts";

let database: Awaited<ReturnType<typeof startFreshPostgres>>;
beforeAll(async () => {
  database = await startFreshPostgres();
});
afterAll(() => database.close());

it("has no timeouts, although its sessions begin with some", async () => {
  const url = new URL(database.url);
  // A role or a database may set them, and ours does.
  url.searchParams.set("options", "-c statement_timeout=7s -c lock_timeout=5s");
  const { rows } = await withLongConnection(url.href, (client) =>
    client.query(
      "select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock",
    ),
  );
  expect(rows).toEqual([{ statement: "0", lock: "0" }]);
});
