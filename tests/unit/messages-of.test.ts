import { expect, it } from "vitest";
import { MOST_MESSAGES, messagesOf } from "../../packages/aftercommit/src/sequin/messages-of.ts";

const message = { action: "insert", record: { id: 1 }, changes: null, metadata: {} };

it("takes a body with a record for one message", () => {
  expect(messagesOf(message)).toEqual({ batch: false, messages: [{ at: "", value: message }] });
});

it("takes the elements of data for messages, and says where each stands", () => {
  expect(messagesOf({ data: [message, null] })).toEqual({
    batch: true,
    messages: [
      { at: "data[0]", value: message },
      { at: "data[1]", value: null },
    ],
  });
});

it("takes an empty data array for an empty batch", () => {
  expect(messagesOf({ data: [] })).toEqual({ batch: true, messages: [] });
});

it("unwraps an element of the pull API, and leaves one with both an ack_id and a record as it is", () => {
  const beside = { ack_id: "2", ...message };
  const { messages } = messagesOf({ data: [{ ack_id: "1", data: message }, beside] });
  expect(messages.map(({ value }) => value)).toEqual([message, beside]);
});

it("takes a message with a key named data for a message", () => {
  const value = { ...message, data: [1, 2] };
  expect(messagesOf(value)).toEqual({ batch: false, messages: [{ at: "", value }] });
});

it.each([null, 1, "text", [message], { data: "text" }, {}])("leaves %j to validation", (body) => {
  expect(messagesOf(body)).toEqual({ batch: false, messages: [{ at: "", value: body }] });
});

it("refuses a delivery of more messages than Sequin can mean", () => {
  const messages = (count: number) => ({ data: Array.from({ length: count }, () => 0) });
  expect(messagesOf(messages(MOST_MESSAGES)).messages).toHaveLength(MOST_MESSAGES);
  expect(() => messagesOf(messages(MOST_MESSAGES + 1))).toThrow(expect.objectContaining({ status: 413 }));
});
