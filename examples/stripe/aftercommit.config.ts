import { defineDeletion, type ExternalSystem, StepError } from "aftercommit";

const API = process.env.STRIPE_API_URL ?? "https://api.stripe.com";

async function call(method: string, path: string, signal: AbortSignal, idempotencyKey?: string) {
  const headers = new Headers({ authorization: `Bearer ${process.env.STRIPE_SECRET_KEY}` });
  if (idempotencyKey) headers.set("idempotency-key", idempotencyKey);
  const response = await fetch(API + path, { method, headers, signal });
  if (!response.ok) throw new StepError(`Stripe answered ${response.status} to ${method}`);
  return response.json();
}

async function customersOf(email: string | null, signal: AbortSignal): Promise<{ id: string }[]> {
  if (email === null) return [];
  return (await call("GET", `/v1/customers?limit=100&email=${encodeURIComponent(email)}`, signal)).data;
}

/** Stripe knows users by their address, and may have several customers for one. */
const stripe: ExternalSystem = {
  name: "stripe",
  email: true,
  async cleanUp({ email, idempotencyKey, signal }) {
    for (const { id } of await customersOf(email, signal))
      await call("DELETE", `/v1/customers/${id}`, signal, `${idempotencyKey}-${id}`);
  },
  verify: async ({ email, signal }) => ({ found: (await customersOf(email, signal)).length > 0 }),
};

export const users = defineDeletion({
  row: "user",
  table: "public.users",
  key: "id",
  email: "email",
  systems: [stripe],
});
