import { createServer, type IncomingHttpHeaders } from "node:http";
import { json } from "node:stream/consumers";
import { z } from "zod";
import { onFreePort } from "./on-free-port.ts";

const attributes = z
  .array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) }))
  .transform((all) => Object.fromEntries(all.map(({ key, value }) => [key, Object.values(value)[0]])));
const point = z.object({ attributes, asDouble: z.number().optional(), asInt: z.coerce.number().optional() });
const data = z.object({ dataPoints: z.array(point) });
const metric = z
  .object({ name: z.string(), sum: data.optional(), gauge: data.optional() })
  .transform(({ name, sum, gauge }) => ({ name, dataPoints: (sum ?? gauge)?.dataPoints ?? [] }));

// The JSON form of opentelemetry/proto/collector/metrics/v1/metrics_service.proto, as far as tests read it.
const request = z.object({
  resourceMetrics: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeMetrics: z.array(z.object({ scope: z.object({ name: z.string() }), metrics: z.array(metric) })),
    }),
  ),
});

/** An OpenTelemetry collector on a free port. */
export async function startCollector() {
  const requests: { path: string; headers: IncomingHttpHeaders; body: unknown }[] = [];
  const server = createServer(async (incoming, response) => {
    requests.push({ path: incoming.url ?? "", headers: incoming.headers, body: await json(incoming) });
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  const { port, close } = await onFreePort(server);
  return {
    url: `http://127.0.0.1:${port}`,
    last: () => requests.findLast(({ path }) => path === "/v1/metrics"),
    resource: (body: unknown) => request.parse(body).resourceMetrics[0]?.resource.attributes,
    /** Every point of this app's own meter. */
    points: (body: unknown) =>
      request
        .parse(body)
        .resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics)
        .filter(({ scope }) => scope.name === "aftercommit")
        .flatMap(({ metrics }) => metrics)
        .flatMap(({ name, dataPoints }) =>
          dataPoints.map(({ attributes: of, asDouble, asInt }) => ({
            metric: name,
            attributes: of,
            value: asDouble ?? asInt,
          })),
        ),
    close,
  };
}
