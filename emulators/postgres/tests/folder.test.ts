import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyOf } from "../../../tests/helpers/postgres-template.ts";
import { processorSecondsOf } from "../../../tests/helpers/processes.ts";
import { until } from "../../../tests/helpers/until.ts";
import { FolderInUseError, lockFolder } from "../folder-lock.ts";

const script = fileURLToPath(new URL("./serve-folder.ts", import.meta.url));
const ROUNDS = 4;
const children: ChildProcess[] = [];
let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "local-postgres-"));
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(parent, { recursive: true });
});

/** A server in another process; `output` grows. */
function serve(folder: string): { child: ChildProcess; output(): string; url(): Promise<string> } {
  const child = spawn(process.execPath, ["--liftoff-only", "--import", "tsx", script, folder], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const progress = () => [output, child.pid && processorSecondsOf(child.pid)];
  const url = () => until(() => /^url (.*)$/m.exec(output)?.[1], { what: "address", progress });
  return { child, output: () => output, url };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

describe("the data folder", () => {
  it("keeps every acknowledged commit through kill -9 at random moments", async () => {
    const folder = copyOf("empty");
    const acknowledged = new Set<number>();
    let next = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { child, url } = serve(folder);
      const pool = new Pool({ connectionString: await url(), max: 4 });
      pool.on("error", () => {});
      await pool.query("create table if not exists rows (id int primary key, body text)");
      const { rows } = await pool.query("select id from rows");
      const found = new Set(rows.map(({ id }) => id));
      expect([...acknowledged].filter((id) => !found.has(id))).toEqual([]);

      const body = "x".repeat(2_000);
      const enough = acknowledged.size + 50 + Math.floor(Math.random() * 400);
      const write = async () => {
        for (;;) {
          const id = next++;
          try {
            await pool.query("insert into rows values ($1, $2)", [id, body]);
          } catch {
            return;
          }
          acknowledged.add(id);
        }
      };
      const writers = [write(), write(), write(), write()];
      await until(() => acknowledged.size >= enough, {
        everyMs: 1,
        what: "commits",
        progress: () => acknowledged.size,
      });
      await kill(child);
      await Promise.all(writers);
      await pool.end();
    }
    const { child, url } = serve(folder);
    const client = new Client(await url());
    await client.connect();
    const { rows } = await client.query("select count(*)::int as rows from rows where id = any($1)", [
      [...acknowledged],
    ]);
    expect(rows).toEqual([{ rows: acknowledged.size }]);
    await client.end();

    const second = serve(folder);
    await once(second.child, "exit");
    expect(second.output()).toContain(`${folder} is in use by another process`);

    child.kill("SIGTERM");
    await once(child, "exit");
    await rm(folder, { recursive: true });
  });

  it("survives a kill while it is being made", async () => {
    const folder = join(parent, "half-made");
    const first = serve(folder);
    await until(() => existsSync(join(folder, "data.new", "PG_VERSION")), { everyMs: 1 });
    await kill(first.child);
    const second = serve(folder);
    const client = new Client(await second.url());
    await client.connect();
    expect((await client.query("select 1 as answer")).rows).toEqual([{ answer: 1 }]);
    await client.end();
    await kill(second.child);
  });
});

describe("the folder's lock", () => {
  it("goes to one alone, and to the next when that one gives it up", async () => {
    const folder = join(parent, "contended");
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
    const [winner, ...others] = outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(others).toEqual([]);
    await expect(lockFolder(folder)).rejects.toThrow(FolderInUseError);
    await winner?.();
    await (await lockFolder(folder))();
  });
});
