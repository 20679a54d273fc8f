import { PGlite } from "@electric-sql/pglite";
import { pg_trgm } from "@electric-sql/pglite/contrib/pg_trgm";
import { pgcrypto } from "@electric-sql/pglite/contrib/pgcrypto";
import { vector } from "@electric-sql/pglite-pgvector";
import { errorFields } from "./backend-messages.ts";
import { type Frame, frame, splitFrames } from "./frames.ts";

/** The one Postgres session of the process. Every call completes before it returns. */
export type Engine = {
  /** Runs one message and returns the whole response. */
  send(message: Buffer): Frame[];
  /** Runs SQL text (Latin-1 decoded bytes) and returns the rows as text. Throws with Postgres' message. */
  query(sql: string): (string | null)[][];
  /** Counts the simple queries: each destroys the session's unnamed statement. */
  simpleQueries(): number;
  close(): Promise<void>;
};

/** Postgres' error about the server's own SQL. */
export class EngineError extends Error {
  override name = "EngineError";
  /** SQLSTATE. */
  readonly code: string;
  constructor(response: Buffer) {
    const fields = errorFields(response);
    super(fields.get("M") ?? "unknown error");
    this.code = fields.get("C") ?? "XX000";
  }
}

const simpleQueryType = "Q".charCodeAt(0);

// PGlite's single-user mode never checkpoints by itself, so these only limit what a CHECKPOINT keeps.
const startParams = [
  "-c",
  'search_path="$user", public',
  "-c",
  "min_wal_size=32MB",
  "-c",
  "max_wal_size=64MB",
];

/** The engine's response violates the protocol, so it can no longer be trusted. What is committed is on disk. */
export class EngineCrash extends Error {
  override name = "EngineCrash";
}

/** What the response to each message must contain; only E for a message that failed. */
const answersTo: Partial<Record<string, string>> = {
  Q: "Z",
  F: "Z",
  S: "Z",
  P: "1E",
  B: "2E",
  C: "3E",
  D: "TnE",
  E: "CIsE",
};

/** Opens the folder, or an in-memory database for null. The extensions vector, pg_trgm and pgcrypto can be created. */
export async function openEngine(dataDir: string | null): Promise<Engine> {
  const pglite = await PGlite.create({
    dataDir: dataDir ?? "memory://",
    extensions: { vector, pg_trgm, pgcrypto },
    startParams: [...PGlite.defaultStartParams, ...startParams],
  });

  let simpleQueries = 0;
  // After an error Postgres ignores messages until a Sync.
  let ignoring = false;

  function send(message: Buffer): Frame[] {
    if (message[0] === simpleQueryType) simpleQueries += 1;
    const chunks: Buffer[] = [];
    // Without syncToFs (a no-op for folders), the call completes before it returns its promise. The chunk is a view of
    // WebAssembly memory that is reused, hence the copy.
    pglite
      .execProtocolRawStream(message, {
        syncToFs: false,
        onRawData: (bytes) => chunks.push(Buffer.from(bytes)),
      })
      .catch(() => {
        // The engine's exit, which the check below has detected.
      });
    const answer = splitFrames(Buffer.concat(chunks));
    const type = String.fromCharCode(message.readUInt8(0));
    const expected = ignoring && type !== "S" ? undefined : answersTo[type];
    if (expected && !answer.some((frame) => expected.includes(frame.type))) {
      throw new EngineCrash(`no answer to a message of type ${type}`);
    }
    ignoring = answer.reduce(
      (failed, frame) => (frame.type === "Z" ? false : failed || frame.type === "E"),
      ignoring,
    );
    return answer;
  }

  function query(sql: string): (string | null)[][] {
    const answer = send(frame("Q", sql));
    const error = answer.find(({ type }) => type === "E");
    if (error) throw new EngineError(error.bytes);
    return answer.filter(({ type }) => type === "D").map(({ bytes }) => textRow(bytes));
  }

  return { send, query, simpleQueries: () => simpleQueries, close: () => pglite.close() };
}

function textRow(bytes: Buffer): (string | null)[] {
  const row: (string | null)[] = [];
  let at = 7;
  for (let column = bytes.readUInt16BE(5); column > 0; column--) {
    const length = bytes.readInt32BE(at);
    at += 4;
    row.push(length < 0 ? null : bytes.toString("latin1", at, at + length));
    at += Math.max(0, length);
  }
  return row;
}

/** A quoted SQL literal. */
export function literal(value: string): string {
  const doubled = value.replaceAll("'", "''");
  return value.includes("\\") ? ` E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`;
}

/** A quoted SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
