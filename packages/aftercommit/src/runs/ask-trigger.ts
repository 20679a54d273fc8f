import { queues } from "@trigger.dev/sdk";

/** Rejects if Trigger.dev does not answer, or rejects the key. The request is a small one. */
export async function askTrigger(): Promise<void> {
  await queues.list({ perPage: 1 }, { retry: { maxAttempts: 1 } });
}
