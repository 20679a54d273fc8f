import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { onFreePort } from "./on-free-port.ts";

// Systems give none of these to a socket that asks for any port. A server that was killed comes back at its address,
// which a connection of another process could have taken in the meantime.
const [LOWEST, HIGHEST] = [12_000, 32_000];

async function holdOne(): Promise<Awaited<ReturnType<typeof onFreePort>>> {
  try {
    return await onFreePort(createServer(), randomInt(LOWEST, HIGHEST));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return holdOne();
    throw error;
  }
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const held = await Promise.all(Array.from({ length: count }, holdOne));
  await Promise.all(held.map(({ close }) => close()));
  return held.map(({ port }) => port);
}
