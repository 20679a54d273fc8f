import { readFileSync } from "node:fs";
import { Client, type ClientConfig } from "pg";
import { EnvironmentError, optional } from "../env/env.ts";
import { messageOf } from "../errors.ts";
import { ConnectionError } from "./connection-error.ts";

const PARAMETER = /(?<=[?&])(ssl|sslmode|sslrootcert|sslcert|sslkey)=([^&#]*)/g;
// node-postgres' older names for it.
const MODE_OF_SSL: Readonly<Record<string, string>> = {
  true: "require",
  1: "require",
  "no-verify": "no-verify",
};

function read(name: string, file: string | undefined): string | undefined {
  // Without a file system, as on Vercel, the variable contains the certificate itself.
  if (file === undefined || file.startsWith("-----BEGIN ")) return file;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new EnvironmentError([{ name: "DATABASE_URL", problem: `: ${name}: ${messageOf(error)}` }]);
  }
}

/**
 * How to connect to the database at a URL, by its parameters sslmode, sslrootcert, sslcert and sslkey, or else by PGSSLMODE
 * and PGSSLROOTCERT. `require` and `prefer` verify like `verify-full`, as in node-postgres 8. `uselibpqcompat=true` leaves
 * everything to node-postgres.
 * @throws {EnvironmentError} if a file cannot be read, or `verify-ca` has no CA
 */
export function connectionOf(url: string): Pick<ClientConfig, "connectionString" | "ssl"> {
  if (/[?&]uselibpqcompat=true/.test(url)) return { connectionString: url };
  const given: Record<string, string> = {};
  const connectionString = url.replace(PARAMETER, (_, name: string, value: string) => {
    given[name] = decodeURIComponent(value);
    return "";
  });
  const { ssl = "", sslrootcert, sslcert, sslkey } = given;
  const usual = optional("PGSSLMODE") ?? (sslrootcert ? "verify-full" : "disable");
  const mode = given.sslmode ?? MODE_OF_SSL[ssl] ?? (ssl ? "disable" : usual);
  if (mode === "disable") return { connectionString, ssl: false };
  const root = sslrootcert ?? optional("PGSSLROOTCERT");
  // The CAs that Node.js trusts.
  const ca = root === "system" ? undefined : read("sslrootcert", root);
  if (mode === "verify-ca" && ca === undefined)
    throw new EnvironmentError([
      { name: "DATABASE_URL", problem: "has sslmode=verify-ca and no sslrootcert" },
    ]);
  const files = { ca, cert: read("sslcert", sslcert), key: read("sslkey", sslkey) };
  return {
    connectionString,
    ssl: {
      ...files,
      ...(mode === "no-verify" && { rejectUnauthorized: false }),
      ...(mode === "verify-ca" && { checkServerIdentity: () => undefined }),
    },
  };
}

const ROOT =
  "Add sslrootcert=FILE to DATABASE_URL, or set PGSSLROOTCERT, with the certificate of the CA that signed the server's";
const NAME =
  "Connect by a name that is in the certificate, or add sslmode=verify-ca and sslrootcert=FILE to DATABASE_URL";
const ON = "Add sslmode=verify-full to DATABASE_URL, or set PGSSLMODE";
const OFF = "Add sslmode=disable to DATABASE_URL, or turn TLS on at the server";

// https://nodejs.org/docs/latest-v24.x/api/tls.html#x509-certificate-error-codes
const REMEDY_OF_CODE: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: ROOT,
  SELF_SIGNED_CERT_IN_CHAIN: ROOT,
  UNABLE_TO_GET_ISSUER_CERT: ROOT,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ROOT,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ROOT,
  ERR_TLS_CERT_ALTNAME_INVALID: NAME,
};

function withRemedy(error: Error): Error {
  const { message } = error;
  const code = "code" in error ? String(error.code) : "";
  if (/no pg_hba\.conf entry .*no encryption/s.test(message)) return new ConnectionError(message, ON);
  if (/does not support SSL/.test(message)) return new ConnectionError(message, OFF);
  const remedy = REMEDY_OF_CODE[code];
  return remedy ? new ConnectionError(message, remedy) : error;
}

type Connected = ((error: Error) => void) | ((error: null, client: Client) => void);

/** A client whose connection error says what to change if TLS is the reason. */
export class TlsClient extends Client {
  override connect(): Promise<Client>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<Client> | undefined {
    if (!callback)
      return super.connect().catch((error: unknown) => {
        throw error instanceof Error ? withRemedy(error) : error;
      });
    super.connect((error: Error) => Reflect.apply(callback, undefined, [error && withRemedy(error), this]));
    return undefined;
  }
}
