import { createServer } from "node:net";

const HOST = "127.0.0.1";

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Rejects if something else listens on one of the ports. The message says which variable changes it. */
export async function requireFreePorts(ports: Readonly<Record<string, number>>): Promise<void> {
  const names = Object.keys(ports);
  const seen = new Map<number, string>();
  for (const name of names) {
    const port = ports[name] ?? 0;
    const other = seen.get(port);
    if (other) throw new Error(`${name} and ${other} are both ${port}; set one of them to another port.`);
    seen.set(port, name);
    if (!(await isFree(port, HOST)))
      throw new Error(
        `Port ${port} is taken. End what listens there, or set ${name} to another port: ${name}=${port + 1} npm run dev`,
      );
  }
}
