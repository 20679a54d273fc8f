import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Pace } from "../delivery/pace.ts";
import { startSequin } from "../start.ts";

export type SinkYaml = Record<string, unknown> & { destination?: Record<string, unknown> };

/** A short backoff keeps the suites fast; its shape is the real one. */
export const FAST: Partial<Pace> = { backoffBaseMs: 20, pollMs: 20, quickRetryMs: 10 };

/** Writes a sequin.yaml with the given sinks to a temporary folder. */
export async function writeConfig(
  url: string,
  sinks: SinkYaml[],
  endpoint: object = {},
  publication?: object,
): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "sequin-")), "sequin.yaml");
  const document = {
    databases: [{ name: "app-db", hostname: "db.example.com", database: "app", port: 5432, publication }],
    http_endpoints: [{ name: "app", url, ...endpoint }],
    sinks: sinks.map(({ destination, ...sink }) => ({
      name: "sink",
      database: "app-db",
      destination: { type: "webhook", http_endpoint: "app", batch: false, ...destination },
      ...sink,
    })),
  };
  await writeFile(path, stringify(document));
  return path;
}

/** The emulator with these sinks. `lines` is its log. */
export async function startStack(options: {
  databaseUrl: string;
  url: string;
  sinks: SinkYaml[];
  endpoint?: object;
  publication?: object;
  pace?: Partial<Pace>;
  workers?: number;
}) {
  const lines: string[] = [];
  const sequin = await startSequin({
    databaseUrl: options.databaseUrl,
    configPath: await writeConfig(options.url, options.sinks, options.endpoint, options.publication),
    env: {},
    log: (line) => lines.push(line),
    workers: options.workers,
    pace: { ...FAST, ...options.pace },
  });
  return { ...sequin, lines };
}
