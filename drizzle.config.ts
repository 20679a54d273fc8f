import { loadEnvConfig } from "@next/env";
import { defineConfig } from "drizzle-kit";

// The same .env files as Next.js reads.
loadEnvConfig(process.cwd());

export default defineConfig({
  dialect: "postgresql",
  schema: ["./drizzle/schema.ts", "./drizzle/embedding-tables.ts"],
  out: "./drizzle/migrations",
  dbCredentials: { url: process.env.DATABASE_URL ?? "" },
});
