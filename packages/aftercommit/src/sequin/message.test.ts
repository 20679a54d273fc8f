import { describe, expect, test } from "vitest";
import { recordedRequest, recordedRequests } from "@/tests/fixtures/requests.ts";
import { sequinMessageSchema } from "./message.ts";
import { messagesOf } from "./messages-of.ts";

describe("a request of a running Sequin is read whole", () => {
  test.each(recordedRequests)("%s", (name) => {
    const body: unknown = JSON.parse(recordedRequest(name).body);
    const { batch, messages } = messagesOf(body);
    expect(batch).toBe(name === "wide_batch_of_14");
    expect(messages).toHaveLength(batch ? 14 : 1);
    for (const { value } of messages) expect(sequinMessageSchema.parse(value)).toEqual(value);
  });
});
