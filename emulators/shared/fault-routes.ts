import { Hono } from "hono";
import { z } from "zod";

/** `POST` sets a fault that matches the schema, and returns it; `DELETE` clears it. */
export function faultRoutes<S extends z.ZodObject>(
  schema: S,
  { set, clear }: { set(fault: z.output<S>): void; clear(): void },
): Hono {
  const app = new Hono();
  app.post("/", async (c) => {
    const fault = schema.safeParse(await c.req.json().catch(() => undefined));
    if (!fault.success) return c.json({ error: z.prettifyError(fault.error) }, 400);
    set(fault.data);
    return c.json(fault.data);
  });
  app.delete("/", (c) => {
    clear();
    return c.body(null, 204);
  });
  return app;
}
