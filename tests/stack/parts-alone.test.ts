import { exec, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { commandsOf, documents, ROOT } from "../helpers/documents.ts";
import { freePorts } from "../helpers/free-ports.ts";
import { processorSecondsOf } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";

const SECRET = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;

const pages = documents.filter(({ name }) => name.startsWith("emulators/"));

/** Runs a part as its page says, on free ports, then the page's other commands, and ends it with Ctrl-C. */
async function follow(commands: readonly string[]): Promise<void> {
  const start = commands.find((command) => command.includes("npm run local -- ")) ?? expect.fail("no start");
  const [http, postgres, smtp] = await freePorts(3);
  const { PATH, HOME } = process.env;
  const dataDir = await mkdtemp(join(tmpdir(), "part-"));
  const child = spawn("sh", ["-c", `exec env ${start.replace("whsec_…", SECRET)}`], {
    cwd: ROOT,
    env: {
      NODE_ENV: "development",
      PATH,
      HOME,
      LOCAL_DATA_DIR: dataDir,
      LOCAL_PORT: String(http),
      LOCAL_POSTGRES_PORT: String(postgres),
      LOCAL_SMTP_PORT: String(smtp),
    },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk;
    });
  const exited = once(child, "exit");
  try {
    await until(() => /^ready/m.test(output) || child.exitCode !== null, {
      what: "ready line",
      progress: () => [output, child.pid && processorSecondsOf(child.pid)],
    });
    expect(output).toMatch(/^ready/m);
    for (const curl of commands.filter((command) => command.startsWith("curl ")))
      await promisify(exec)(
        curl.replace("curl", "curl --fail --silent --show-error").replace("3040", String(http)),
      );
  } finally {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGINT");
    await exited;
    await rm(dataDir, { recursive: true });
  }
}

it.each(pages)("$name starts its part alone, and its other commands work", async (page) => {
  await follow(commandsOf(page));
});
