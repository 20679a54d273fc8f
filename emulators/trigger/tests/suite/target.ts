import { ACCESS_TOKEN, SECRET_KEY, serve } from "../helpers/serve.ts";
import type { Target } from "./cli.ts";

/** The server that the suite runs against: the one in the environment, or the emulator on a free port. */
export async function findTarget(): Promise<
  Target & { isLocal: boolean; hasLimits: boolean; close(): Promise<void> }
> {
  const { TRIGGER_API_URL, TRIGGER_SECRET_KEY, TRIGGER_ACCESS_TOKEN, TRIGGER_PROJECT_REF } = process.env;
  if (TRIGGER_API_URL && TRIGGER_SECRET_KEY && TRIGGER_ACCESS_TOKEN && TRIGGER_PROJECT_REF)
    return {
      hasLimits: await knowsLimits(TRIGGER_API_URL, TRIGGER_SECRET_KEY),
      apiUrl: TRIGGER_API_URL,
      secretKey: TRIGGER_SECRET_KEY,
      accessToken: TRIGGER_ACCESS_TOKEN,
      projectRef: TRIGGER_PROJECT_REF,
      isLocal: false,
      close: async () => undefined,
    };
  const server = await serve();
  return {
    hasLimits: true,
    apiUrl: server.url,
    secretKey: SECRET_KEY,
    accessToken: ACCESS_TOKEN,
    projectRef: "proj_suite",
    isLocal: true,
    close: () => server.close(),
  };
}

/** A server before 4.7 accepts a task's `concurrency` and enforces nothing. */
async function knowsLimits(url: string, key: string): Promise<boolean> {
  const { status } = await fetch(`${url}/api/v1/concurrency-limits`, {
    headers: { authorization: `Bearer ${key}` },
  });
  return status === 200;
}
