import { vi } from "vitest";
import { type Fault, startFaultyServer } from "../faulty-server.ts";

/** Has a server behave like this in the place that a variable names, for the work alone. */
export async function instead<T>(variable: string, fault: Fault, work: () => Promise<T>): Promise<T> {
  const server = await startFaultyServer(fault);
  vi.stubEnv(variable, server.url);
  try {
    return await work();
  } finally {
    await server.close();
  }
}
