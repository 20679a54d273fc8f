import { expect, it } from "vitest";
import { MOST_MESSAGES, messagesOf } from "./messages-of.ts";

const message = { action: "insert", record: { id: 1 }, changes: null, metadata: {} };

it("reads a body with a record as one message", () => {
  expect(messagesOf(message)).toEqual({ batch: false, messages: [{ at: "", value: message }] });
});

it("reads the elements of data as messages, with their places", () => {
  expect(messagesOf({ data: [message, null] })).toEqual({
    batch: true,
    messages: [
      { at: "data[0]", value: message },
      { at: "data[1]", value: null },
    ],
  });
});

it("reads an empty data array as an empty batch", () => {
  expect(messagesOf({ data: [] })).toEqual({ batch: true, messages: [] });
});

it("unwraps an element of the pull API, and leaves one with both an ack_id and a record as it is", () => {
  const beside = { ack_id: "2", ...message };
  const { messages } = messagesOf({ data: [{ ack_id: "1", data: message }, beside] });
  expect(messages.map(({ value }) => value)).toEqual([message, beside]);
});

it("reads a message with a key named data as a message", () => {
  const value = { ...message, data: [1, 2] };
  expect(messagesOf(value)).toEqual({ batch: false, messages: [{ at: "", value }] });
});

it.each([null, 1, "text", [message], { data: "text" }, {}])("leaves %j to validation", (body) => {
  expect(messagesOf(body)).toEqual({ batch: false, messages: [{ at: "", value: body }] });
});

it("rejects a delivery of more messages than Sequin can send", () => {
  const messages = (count: number) => ({ data: Array.from({ length: count }, () => 0) });
  expect(messagesOf(messages(MOST_MESSAGES)).messages).toHaveLength(MOST_MESSAGES);
  expect(() => messagesOf(messages(MOST_MESSAGES + 1))).toThrow(expect.objectContaining({ status: 413 }));
});
