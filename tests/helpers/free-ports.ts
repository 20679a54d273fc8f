import { createServer } from "node:net";
import { onFreePort } from "./on-free-port.ts";

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const held = await Promise.all(Array.from({ length: count }, () => onFreePort(createServer())));
  await Promise.all(held.map(({ close }) => close()));
  return held.map(({ port }) => port);
}
