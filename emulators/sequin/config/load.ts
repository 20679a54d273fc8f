import { readFile } from "node:fs/promises";
import type { Log } from "@aftercommit/local-shared/log.ts";
import { parse } from "yaml";
import type { z } from "zod";
import { type Document, document } from "./document.ts";
import { type Publication, parsePublication } from "./publication.ts";
import { parseTable, type Source, type Table } from "./source.ts";
import { type Environment, substitute } from "./substitute.ts";

type Action = "insert" | "update" | "delete";

/** A sink with everything that its deliveries need. */
export type Sink = {
  name: string;
  status: "active" | "paused" | "disabled";
  annotations: Record<string, z.core.util.JSONType>;
  source: Source;
  actions: Action[];
  /** The group columns per listed table; an empty list turns grouping off for that table. */
  groupColumns: { table: Table; columns: string[] }[];
  grouping: boolean;
  batch: boolean;
  batchSize: number;
  maxRetryCount: number | null;
  timestampFormat: "iso8601" | "unix_microsecond";
  /** The path transform, such as `record`, or null for the whole message. */
  transformPath: string | null;
  initialBackfill: boolean | { table: Table; sortColumn: string | null; startPosition: string | null }[];
  url: string;
  /** Lowercase names. */
  headers: Record<string, string>;
};

export type Config = {
  database: {
    name: string;
    annotations: Record<string, z.core.util.JSONType>;
    /** Null if the file names none; then every table counts as published. */
    publication: Publication | null;
  };
  sinks: Sink[];
};

/** A sequin.yaml that Sequin, or this emulator, would reject. The message names the place. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/** Reads and checks the file. Throws `ConfigError`. */
export async function loadConfig(path: string, env: Environment, log: Log): Promise<Config> {
  return parseConfig(await readFile(path, "utf8"), env, log);
}

/** Checks the text of a sequin.yaml. Throws `ConfigError`. */
export function parseConfig(text: string, env: Environment, log: Log): Config {
  const missing = new Set<string>();
  const checked = document.safeParse(substitute(readYaml(text), env, (name) => missing.add(name)));
  if (!checked.success) {
    throw new ConfigError(
      checked.error.issues.map((issue) => `${place(issue.path)}: ${issue.message}`).join("\n"),
    );
  }
  for (const name of missing)
    log(`${name} is not set: sequin.yaml gets an empty string for it, as from Sequin`);

  const given = checked.data;
  const [database, ...others] = given.databases;
  if (!database) throw new ConfigError("databases: one is needed");
  if (others.length > 0) throw new ConfigError("databases: the local emulator captures one database only");
  warnAboutUrl(database.url, log);
  const { name, annotations } = database;
  return {
    database: { name, annotations, publication: resolvePublication(database) },
    sinks: given.sinks.map((sink, index) => resolveSink(given, sink, index)),
  };
}

function resolvePublication({
  publication,
  publication_name,
}: Document["databases"][number]): Publication | null {
  const name = publication?.name ?? publication_name;
  if (name === undefined) return null;
  try {
    return parsePublication(name, publication?.init_sql);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`databases[0].publication: ${reason}`);
  }
}

function readYaml(text: string): unknown {
  try {
    return parse(text) ?? {};
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error));
  }
}

/** The emulator gets its database from elsewhere, so what Sequin rejects in this URL does not stop it. */
function warnAboutUrl(url: string | undefined, log: Log): void {
  if (!url || !URL.canParse(url)) return;
  const { port, search } = new URL(url);
  if (port === "") log("databases[0].url has no port: Sequin would refuse it");
  if (search !== "") log("databases[0].url has a query string: Sequin would refuse it and wants the key ssl");
}

function resolveSink(given: Document, sink: Document["sinks"][number], index: number): Sink {
  const at = `sinks[${index}] (${sink.name})`;
  if (!given.databases.some((database) => database.name === sink.database)) {
    throw new ConfigError(`${at}.database: no database is called "${sink.database}"`);
  }
  if (given.sinks.findIndex((other) => other.name === sink.name) !== index) {
    throw new ConfigError(`${at}.name: another sink has this name`);
  }
  return {
    name: sink.name,
    status: sink.status,
    annotations: sink.annotations,
    source: resolveSource(sink),
    actions: sink.actions,
    groupColumns: sink.tables.map((table) => ({
      table: parseTable(table.name),
      columns: table.group_column_names ?? [],
    })),
    grouping: sink.message_grouping,
    batch: sink.destination.batch,
    batchSize: sink.batch_size,
    maxRetryCount: sink.max_retry_count ?? null,
    timestampFormat: sink.timestamp_format,
    transformPath: resolveTransform(given, sink, at),
    initialBackfill: resolveBackfill(sink, at),
    ...resolveEndpoint(given, sink, at),
  };
}

function resolveSource(sink: Document["sinks"][number]): Source {
  if (sink.table) return { includeTables: [sink.table] };
  if (sink.schema) return { includeSchemas: [sink.schema] };
  return {
    includeTables: sink.source?.include_tables,
    excludeTables: sink.source?.exclude_tables,
    includeSchemas: sink.source?.include_schemas,
    excludeSchemas: sink.source?.exclude_schemas,
  };
}

function resolveTransform(given: Document, sink: Document["sinks"][number], at: string): string | null {
  for (const kind of ["filter", "routing", "enrichment", "transform"] as const) {
    const name = sink[kind];
    if (!name || name === "none") continue;
    const found = [...(given.functions ?? []), ...(given.transforms ?? [])].find((fn) => fn.name === name);
    if (!found) throw new ConfigError(`${at}.${kind}: no function is called "${name}"`);
    if (kind === "transform" && found.type === "path" && found.path) return found.path;
    throw new ConfigError(
      `${at}.${kind}: the local emulator does not run Elixir or SQL functions ("${name}"); only path transforms work here`,
    );
  }
  return null;
}

function resolveBackfill(sink: Document["sinks"][number], at: string): Sink["initialBackfill"] {
  if (!Array.isArray(sink.initial_backfill)) return sink.initial_backfill === true;
  return sink.initial_backfill.map((entry) => {
    const partial = entry.type === "partial";
    if (partial && (entry.sort_column === undefined || entry.start_position === undefined)) {
      throw new ConfigError(
        `${at}.initial_backfill: a partial backfill needs sort_column and start_position`,
      );
    }
    return {
      table: parseTable(entry.table),
      sortColumn: partial ? (entry.sort_column ?? null) : null,
      startPosition: partial ? String(entry.start_position) : null,
    };
  });
}

function resolveEndpoint(
  given: Document,
  sink: Document["sinks"][number],
  at: string,
): Pick<Sink, "url" | "headers"> {
  const { type, http_endpoint, http_endpoint_path: path } = sink.destination;
  if (type !== "webhook")
    throw new ConfigError(`${at}.destination.type: the local emulator delivers to webhook only`);
  const endpoint = given.http_endpoints.find((candidate) => candidate.name === http_endpoint);
  if (!endpoint)
    throw new ConfigError(`${at}.destination.http_endpoint: no http_endpoint is called "${http_endpoint}"`);
  if (!endpoint.url)
    throw new ConfigError(`http_endpoints (${endpoint.name}).url: the local emulator needs a url`);
  // Encrypted headers win, and user info in the URL is dropped: lib/sequin/transforms/transforms.ex.
  const base = new URL(endpoint.url);
  base.username = "";
  base.password = "";
  const headers = Object.entries({ ...endpoint.headers, ...endpoint.encrypted_headers });
  return {
    url: joinPath(base.href, path),
    headers: Object.fromEntries(headers.map(([key, value]) => [key.toLowerCase(), value])),
  };
}

/** Joins strings like Req: exactly one slash between the two, and an empty path changes nothing. */
function joinPath(base: string, path: string): string {
  return path === "" ? base : `${base.replace(/\/$/, "")}/${path.replace(/^\//, "")}`;
}

function place(path: PropertyKey[]): string {
  const text = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  return text.replace(/^\./, "") || "sequin.yaml";
}
