import { queues } from "@trigger.dev/sdk";

/** Rejects when Trigger.dev does not answer, or refuses the key. The question is a small one. */
export async function askTrigger(): Promise<void> {
  await queues.list({ perPage: 1 }, { retry: { maxAttempts: 1 } });
}
