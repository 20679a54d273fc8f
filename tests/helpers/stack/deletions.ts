import { expect } from "vitest";
import { z } from "zod";
import { until } from "../until.ts";
import type { DevStack } from "./dev-stack.ts";

export type User = { id: string; email: string };

const mails = z.array(
  z.object({ id: z.string(), to: z.array(z.string()), messageId: z.string(), receivedAt: z.coerce.date() }),
);
const calls = z.array(z.object({ userId: z.string(), status: z.number(), webhookId: z.string() }));

async function get<T>(stack: DevStack, path: string, schema: z.ZodType<T>): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${stack.ports.http}${path}`);
  return schema.parse(await response.json());
}

/** The messages for an address in the stack's mail server. */
export async function mailsTo(stack: DevStack, email: string) {
  return (await get(stack, "/local/mail", mails)).filter((mail) => mail.to.includes(email));
}

export async function textOfMail(stack: DevStack, id: string): Promise<string> {
  return (await get(stack, `/local/mail/${id}`, z.object({ text: z.string() }))).text;
}

/** The calls about a user that the stack's external system received. */
export async function callsFor(stack: DevStack, userId: string) {
  return (await get(stack, "/local/external-system/calls", calls)).filter((call) => call.userId === userId);
}

type Deletion = {
  email: string | null;
  systems: Record<string, { done_at?: string }>;
};

/** The ledger's row as soon as the deletion is complete. Waits for a restarting database. */
export async function completedDeletion(stack: DevStack, userId: string): Promise<Deletion> {
  return until(
    async () => {
      const rows = await stack
        .query<Deletion>(
          "select * from aftercommit.deletions where source = 'user' and row_id = $1 and completed_at is not null",
          [userId],
        )
        .catch(() => []);
      return rows[0];
    },
    { everyMs: 100, what: `completed deletion of ${userId}`, progress: () => stack.output },
  );
}

export async function insertUser(stack: DevStack, name: string): Promise<User> {
  const email = `${name}@example.com`;
  const [row] = await stack.query<{ id: string }>(
    "insert into users (first_name, last_name, email) values ($1, 'Test', $2) returning id",
    [name, email],
  );
  return { id: row?.id ?? "", email };
}

/** Fails unless the deletion completes by itself: each system is notified, then the user, by one message. */
export async function expectDeleted(stack: DevStack, { id, email }: User): Promise<void> {
  const { systems } = await completedDeletion(stack, id);
  const told = await callsFor(stack, id);
  expect(told.map(({ status }) => status)).toContain(204);
  expect(new Set(told.map(({ webhookId }) => webhookId)).size).toBe(1);
  const received = await mailsTo(stack, email);
  // A second copy is possible if the process died between the mail server's acceptance and the ledger's write.
  expect(received.length).toBeGreaterThan(0);
  expect(new Set(received.map(({ messageId }) => messageId)).size).toBe(1);
  const cleanAt = Object.values(systems).map(({ done_at }) => new Date(done_at ?? Number.NaN).getTime());
  const mailedAt = received.map(({ receivedAt }) => receivedAt.getTime());
  expect(Math.min(...mailedAt)).toBeGreaterThanOrEqual(Math.max(...cleanAt));
}
