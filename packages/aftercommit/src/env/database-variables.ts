import * as z from "zod";
import { url } from "./provider-variables.ts";
import { isWebhookSecret } from "./webhook-secret.ts";

/** The variables of the database and of the sources of its changes. */
export const databaseVariables = {
  DATABASE_URL: {
    schema: url("postgres|postgresql"),
    where: "the connection string of your Postgres, postgres://user:password@host:5432/name",
  },
  DIRECT_DATABASE_URL: {
    schema: url("postgres|postgresql"),
    where:
      "the database's own address, where DATABASE_URL is a connection pooler's: for commands, vector indexes and capture",
  },
  CAPTURE_IN_APP: {
    schema: z.enum(["on", "off"]),
    where: "on, if the app's servers run npx aftercommit capture themselves, on machines that do not sleep",
  },
  PGSSLMODE: {
    schema: z
      .string()
      .regex(
        /^(disable|prefer|require|verify-ca|verify-full|no-verify)$/,
        "must be disable, prefer, require, verify-ca, verify-full or no-verify",
      ),
    where: "sslmode of the database's connection, unless DATABASE_URL has it; disable by default",
  },
  PGSSLROOTCERT: {
    schema: z.string(),
    where:
      "sslrootcert of the database's connection, unless DATABASE_URL has it: the file with its CA's certificate, or the certificate itself",
  },
  DATABASE_POOL_SIZE: {
    schema: z.string().regex(/^[1-9]\d{0,2}$/, "must be a whole number from 1 to 999"),
    where:
      "how many database connections each process has at most, and as many again for search; 5 when left out, 1 or 2 where processes are many",
  },
  SEQUIN_WEBHOOK_SECRET: {
    schema: z.string(),
    where: "any long random text, the same here and where Sequin runs: openssl rand -base64 32",
  },
  SEQUIN_WEBHOOK_SECRET_PREVIOUS: {
    schema: z.string(),
    where: "the secret before the last change, while Sequin may still send it",
  },
  DEBEZIUM_WEBHOOK_SECRET: {
    schema: z.string().refine(isWebhookSecret, "must be whsec_ and 24 to 64 bytes in base64"),
    where:
      'the same here and in debezium.sink.http.authentication.webhook.secret: echo "whsec_$(openssl rand -base64 32)"',
  },
  SUPABASE_WEBHOOK_SECRET: {
    schema: z.string(),
    where: "any long random text, the same here and in the webhook's header Authorization: Bearer …",
  },
} as const;
