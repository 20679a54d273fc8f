import { z } from "zod";

/** The data that the server's thread starts with. */
export const threadDataSchema = z.object({
  folder: z.string().nullable(),
  host: z.string(),
  port: z.number().int(),
  idleInTransactionMs: z.number(),
  maxMessageBytes: z.number(),
});
export type ThreadData = z.infer<typeof threadDataSchema>;

/** The thread's messages. */
export const threadMessageSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("log"), line: z.string() }),
  z.object({ kind: z.literal("listening"), port: z.number().int() }),
  z.object({ kind: z.literal("crashed"), reason: z.string() }),
]);
export type ThreadMessage = z.infer<typeof threadMessageSchema>;
