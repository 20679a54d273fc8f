import { faultRoutes } from "@aftercommit/local-shared/fault-routes.ts";
import { refuseOtherOrigins } from "@aftercommit/local-shared/refuse-other-origins.ts";
import { Hono } from "hono";
import { z } from "zod";
import type { Mailbox } from "./mailbox.ts";

const faultSchema = z
  .strictObject({
    status: z.int().min(400).max(599).optional(),
    /** Accepts the message and breaks the connection before it is acknowledged. */
    drops: z.literal(true).optional(),
    times: z.int().min(1).optional(),
  })
  .refine(({ status, drops }) => status ?? drops, { message: "Say a status or drops" });

export type MailFault = z.infer<typeof faultSchema>;

/**
 * The HTTP API: `GET /local/mail` lists the messages without their bodies, newest first; `GET /local/mail/:id` returns
 * one; `POST /local/mail/faults` {status, times?} rejects the next recipients,
 * {drops, times?} loses the next acknowledgments, and `DELETE` ends that.
 */
export function createApp(mailbox: Mailbox, setFault: (fault: MailFault | undefined) => void): Hono {
  const app = new Hono();
  app.use("/local/mail/*", refuseOtherOrigins);
  app.get("/local/mail", (c) =>
    c.json(mailbox.list().map(({ text: _text, html: _html, headers: _headers, ...summary }) => summary)),
  );
  const faults = { set: setFault, clear: () => setFault(undefined) };
  app.route("/local/mail/faults", faultRoutes(faultSchema, faults));
  app.get("/local/mail/:id", (c) => {
    const mail = mailbox.find(c.req.param("id"));
    return mail ? c.json(mail) : c.json({ error: "There is no such message" }, 404);
  });
  return app;
}
