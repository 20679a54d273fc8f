import { vi } from "vitest";
import { type Fault, startFaultyServer } from "../faulty-server.ts";

/** Replaces the server that a variable names with a faulty one while `work` runs. */
export async function instead<T>(variable: string, fault: Fault, work: () => Promise<T>): Promise<T> {
  const server = await startFaultyServer(fault);
  vi.stubEnv(variable, server.url);
  try {
    return await work();
  } finally {
    await server.close();
  }
}
