import { execFile } from "node:child_process";
import { promisify } from "node:util";

// The program that scripts/postgres.sh has unpacked, with its own loader; otherwise the machine's.
const PG_DUMP = `
root="\${AFTERCOMMIT_POSTGRES:-\${TMPDIR:-/tmp}/aftercommit-postgresql-17-pgbouncer-$(id -u)}"
program="$root/usr/lib/postgresql/17/bin/pg_dump"
[ -x "$program" ] || exec pg_dump "$@"
loader="$(find "$root" -name 'ld-linux*.so.*' -print -quit)"
exec "$loader" --library-path "$(echo "$root"/usr/lib/*-linux-gnu*)" "$program" "$@"`;

const DUMPED = [
  "--schema-only",
  "--exclude-schema=aftercommit",
  "--exclude-extension=vector",
  "--no-publications",
];

// Newer versions of pg_dump write a random key around everything.
const RANDOM = /^\\(un)?restrict .*$/gm;

/** What pg_dump writes of a database. */
export async function pgDump(url: string, options: readonly string[]): Promise<string> {
  const args = ["-c", PG_DUMP, "pg_dump", ...options, `--dbname=${url}`];
  const { stdout } = await promisify(execFile)("sh", args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.replaceAll(RANDOM, "");
}

/**
 * The output of `pg_dump --schema-only` for everything of the database's owner: all except the schemas of Aftercommit
 * and of the Sequin emulator, and the tables of vectors, which are `ours`.
 */
export async function dumpSchema(
  url: string,
  { ours, privileges = true }: { ours: readonly string[]; privileges?: boolean },
): Promise<string> {
  const more = [
    ...ours.map((table) => `--exclude-table=${table}`),
    ...(privileges ? [] : ["--no-privileges"]),
  ];
  return pgDump(url, [...DUMPED, ...more]);
}
