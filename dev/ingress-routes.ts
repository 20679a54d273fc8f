import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

const config = z.object({
  sinks: z.array(z.object({ destination: z.object({ http_endpoint_path: z.string().default("/") }) })),
});

/** The paths of the app to which sequin.yaml delivers changes. */
export function ingressRoutes(file = "sequin.yaml"): string[] {
  const { sinks } = config.parse(parse(readFileSync(file, "utf8")));
  return [...new Set(sinks.map(({ destination }) => destination.http_endpoint_path))];
}
