import { connect } from "../../drizzle/client.ts";
import { findMissingMigrations } from "../../drizzle/queries/applied-migrations.ts";
import { isPooled, readExtension, readServer } from "../../drizzle/queries/server-facts.ts";
import { modelsInUse, OtherModelError } from "../embeddings/models-in-use.ts";
import { required } from "../env.ts";
import { type Check, good, once, problem } from "./check.ts";
import { placeOf } from "./on-this-machine.ts";

// pgvector's changelog: 0.8.2 mends a buffer overflow, 0.8.3 corrupt indexes, 0.8.4 errors of both.
const PGVECTOR = "0.8.4";
const MOST_SKEW_MS = 30_000;
// With its grace longer than the pool keeps an idle connection, which would else be told of as lost.
const STATEMENT_MS = 9_000;

export const doctorsDatabase = () =>
  connect(required("DATABASE_URL"), { statementTimeoutMs: STATEMENT_MS, poolSize: 2 });

const numbersOf = (version: string) => version.split(".").map(Number);

function isOlder(version: string, than: string): boolean {
  const [a, b] = [numbersOf(version), numbersOf(than)];
  const index = b.findIndex((number, at) => (a[at] ?? 0) !== number);
  return index !== -1 && (a[index] ?? 0) < (b[index] ?? 0);
}

export function database(): Check[] {
  const server = once(() => readServer(doctorsDatabase()));
  return [
    {
      id: "database.reachable",
      description: "the database of DATABASE_URL answers",
      hint: "Start the database, or correct DATABASE_URL: postgres://user:password@host:5432/name",
      fatal: true,
      async run() {
        const { version, inWebAssembly } = await server();
        const place = placeOf(required("DATABASE_URL"));
        return good(`PostgreSQL ${version} at ${place}${inWebAssembly ? ", a stand-in in WebAssembly" : ""}`);
      },
    },
    {
      id: "database.direct",
      description: "DATABASE_URL is a direct connection, as Sequin and `npm run migrate` need one",
      hint: "Give Sequin and `npm run migrate` the direct address of the database; the app and the tasks may keep the pooler's",
      warning: true,
      needs: ["database.reachable"],
      async run() {
        if ((await server()).inWebAssembly) return good("the stand-in has one session for all");
        if (!(await isPooled(required("DATABASE_URL")))) return good("the server itself answers");
        return problem("a connection pooler answers in the server's place");
      },
    },
    {
      id: "database.migrations",
      description: "every migration of this version is applied",
      hint: "npm run migrate",
      fatal: true,
      needs: ["database.reachable"],
      async run() {
        const missing = await findMissingMigrations(doctorsDatabase());
        return missing.length === 0 ? good("none is missing") : problem(`missing: ${missing.join(", ")}`);
      },
    },
    {
      id: "database.pgvector",
      description: `pgvector is ${PGVECTOR} or newer`,
      hint: `Install pgvector ${PGVECTOR} or newer on the server, then: alter extension vector update`,
      warning: true,
      needs: ["database.reachable"],
      async run() {
        const { installed, available } = await readExtension(doctorsDatabase(), "vector");
        if (installed === null)
          return problem(`not installed; the server has ${available ?? "none"}`, "npm run migrate");
        if (!isOlder(installed, PGVECTOR)) return good(installed);
        const isThere = available !== null && !isOlder(available, PGVECTOR);
        return problem(
          `${installed}; the server has ${available ?? "none"}`,
          isThere ? "alter extension vector update" : undefined,
        );
      },
    },
    {
      id: "database.model",
      description: "the database's embedding model is the one that this version and EMBEDDING_MODEL mean",
      hint: "Leave EMBEDDING_MODEL out: the database says which model is in use",
      needs: ["database.migrations"],
      async run() {
        try {
          const { active, building } = await modelsInUse(doctorsDatabase());
          const beside = building ? `; ${building.name} is being built` : "";
          return good(`${active.name}, ${active.dimensions} dimensions${beside}`);
        } catch (error) {
          if (!(error instanceof OtherModelError)) throw error;
          return problem(error.message, error.command);
        }
      },
    },
    {
      id: "database.clock",
      description: "the database's clock and this machine's agree within 30 s",
      hint: "Set both clocks by NTP: signed webhooks and waits for the provider go by them",
      warning: true,
      needs: ["database.reachable"],
      async run() {
        const skew = Date.now() - (await readServer(doctorsDatabase())).now;
        const seconds = (Math.abs(skew) / 1_000).toFixed(1);
        return Math.abs(skew) > MOST_SKEW_MS ? problem(`${seconds} s apart`) : good(`${seconds} s apart`);
      },
    },
  ];
}
