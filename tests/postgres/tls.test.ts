import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, chownSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { connect, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { withLongConnection } from "../../packages/aftercommit/src/db/long-connection.ts";
import { connectionOf } from "../../packages/aftercommit/src/db/tls.ts";
import { rootMessageOf } from "../../packages/aftercommit/src/errors.ts";
import { deliver, newChange, secret } from "../helpers/deliver.ts";
import { problemOf } from "../helpers/doctor/diagnose.ts";
import { type Cluster, startCluster } from "../helpers/own-cluster.ts";
import { startCommand } from "../helpers/start-command.ts";

const ROOT = /Add sslrootcert=FILE to DATABASE_URL, or set PGSSLROOTCERT/;
const UNTRUSTED = /(self-signed certificate in certificate chain|unable to verify the first certificate)/;

/** Makes a server require TLS, with a certificate for `localhost` that a private CA signed. Returns the CA's file. */
async function demandTls({ folder, stop, start }: Cluster): Promise<string> {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = (name: string) => ["-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`];
  writeFileSync(join(folder, "names"), "subjectAltName=DNS:localhost");
  openssl("req", "-x509", ...key("ca"), "-out", "ca.crt", "-days", "2", "-subj", "/CN=A private CA");
  openssl("req", ...key("server"), "-out", "server.csr", "-subj", "/CN=localhost");
  const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
  openssl("x509", "-req", "-in", "server.csr", "-out", "server.crt", ...signed);
  const { uid, gid } = statSync(folder);
  chownSync(join(folder, "server.key"), uid, gid);
  chmodSync(join(folder, "server.key"), 0o600);
  await stop();
  writeFileSync(join(folder, "pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\n");
  appendFileSync(join(folder, "postgresql.auto.conf"), "ssl = on\n");
  await start();
  return join(folder, "ca.crt");
}

describe("a PostgreSQL that requires TLS, with a certificate of a private CA", () => {
  let cluster: Cluster;
  let ca: string;

  beforeAll(async () => {
    cluster = await startCluster();
    ca = await demandTls(cluster);
  });
  afterEach(() => vi.unstubAllEnvs());
  afterAll(async () => {
    await disconnect();
    await cluster.remove();
  });

  const urlOf = (query = "", host = "localhost") =>
    `${cluster.url.replace("127.0.0.1", host)}${query && "?"}${query}`;

  /** Whether connections are encrypted, pooled and long ones; or why there are none. */
  async function isEncrypted(query?: string, host?: string): Promise<unknown> {
    const url = urlOf(query, host);
    const text = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    try {
      const { rows } = await connect(url).execute<{ ssl: boolean }>(sql.raw(text));
      const long = await withLongConnection(url, (client) => client.query<{ ssl: boolean }>(text));
      return rows[0]?.ssl && long.rows[0]?.ssl;
    } catch (error) {
      await expect(withLongConnection(url, (client) => client.query(text))).rejects.toThrow();
      return rootMessageOf(error);
    } finally {
      await disconnect();
    }
  }

  it.each(["verify-full", "verify-ca", "require", "prefer"])(
    "is trusted under sslmode=%s with sslrootcert",
    async (mode) => {
      expect(await isEncrypted(`sslmode=${mode}&sslrootcert=${encodeURIComponent(ca)}`)).toBe(true);
    },
  );

  it("is trusted with sslrootcert alone, also beside other parameters and a password with a %", async () => {
    const url = urlOf(`application_name=app&sslrootcert=${ca}&statement_timeout=7000`);
    const { rows } = await connect(url.replace("postgres@", "postgres:50%off@")).execute(
      sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`,
    );
    expect(rows).toEqual([{ ssl: true }]);
    await disconnect();
  });

  it.each([
    ["a file", () => ca],
    ["the certificate itself", () => readFileSync(ca, "utf8")],
  ])("is trusted with PGSSLMODE, and PGSSLROOTCERT as %s", async (_, root) => {
    vi.stubEnv("PGSSLMODE", "verify-full");
    vi.stubEnv("PGSSLROOTCERT", root());
    expect(await isEncrypted()).toBe(true);
    expect(await isEncrypted("sslmode=disable")).toMatch(/no encryption/);
  });

  it.each([
    "sslmode=verify-full",
    "sslmode=require",
    "sslmode=prefer",
    "ssl=true",
    "sslmode=require&sslrootcert=system",
  ])("is not trusted under %s, and the error says what to add", async (query) => {
    const message = await isEncrypted(query);
    expect(message).toMatch(UNTRUSTED);
    expect(message).toMatch(ROOT);
  });

  it.each(["sslmode=no-verify", "ssl=no-verify", "uselibpqcompat=true&sslmode=require"])(
    "is not verified under %s",
    async (query) => expect(await isEncrypted(query)).toBe(true),
  );

  it("must have a certificate for its host name under verify-full, but not under verify-ca", async () => {
    const root = `sslrootcert=${ca}`;
    const message = await isEncrypted(`sslmode=verify-full&${root}`, "127.0.0.1");
    expect(message).toMatch(/not in the cert's list.*Connect by a name that is in the certificate/s);
    expect(message).toMatch(/or add sslmode=verify-ca and sslrootcert/);
    expect(await isEncrypted(`sslmode=verify-ca&${root}`, "127.0.0.1")).toBe(true);
  });

  it("needs the CA under verify-ca: any server with a certificate of a public CA would do", () => {
    expect(() => connectionOf(urlOf("sslmode=verify-ca"))).toThrow(
      /DATABASE_URL has sslmode=verify-ca and no sslrootcert/,
    );
  });

  it("is refused without TLS, and the error says how to turn it on", async () => {
    expect(await isEncrypted()).toMatch(
      /no encryption\. Add sslmode=verify-full to DATABASE_URL, or set PGSSLMODE/,
    );
  });

  it("is not asked if the file of the CA cannot be read: the error names it", () => {
    expect(() => connectionOf(urlOf("sslrootcert=/nowhere/ca.crt"))).toThrow(
      /sslrootcert: ENOENT.*\/nowhere\/ca\.crt/,
    );
  });

  it("the doctor shows the reason and the fix", async () => {
    vi.stubEnv("DATABASE_URL", urlOf("sslmode=require"));
    const { actual, fix } = await problemOf("database.connection");
    expect(actual).toMatch(UNTRUSTED);
    expect(actual).not.toMatch(ROOT);
    expect(fix).toMatch(ROOT);
  });

  it("migrate and the log of a route show the fix", async () => {
    const url = urlOf("sslmode=require");
    await expect(startCommand("migrate", [], { DATABASE_URL: url }).end()).rejects.toThrow(ROOT);
    vi.stubEnv("DATABASE_URL", url);
    vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
    const logged: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line: string) => void logged.push(line));
    expect(await deliver(newChange("02_posts_update", { record_pks: ["7"] }))).toMatchObject({ status: 503 });
    expect(logged.join()).toMatch(ROOT);
    vi.restoreAllMocks();
  });
});
