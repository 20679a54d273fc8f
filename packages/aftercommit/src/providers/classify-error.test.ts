import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { EmbeddingShapeError } from "../declare/provider.ts";
import { EnvironmentError } from "../env/env.ts";
import { ModelError } from "../models/models.ts";
import { SourceError } from "../source.ts";
import { classifyError } from "./classify-error.ts";
import { FailedTextError, PausedError, RateLimitedError } from "./errors.ts";

const now = new Date("2026-01-02T03:04:05.000Z");
const inMs = (ms: number) => ({ kind: "retryAt", at: new Date(now.getTime() + ms) });
const abort = { kind: "abort" };
const retry = { kind: "retry" };

function answered(status: number, headers: Record<string, string> = {}, error: object = {}) {
  return OpenAI.APIError.generate(status, { error }, undefined, new Headers(headers));
}

describe("a response of the provider", () => {
  it.each([
    ["400 bad request", answered(400), abort],
    ["401 wrong key", answered(401), abort],
    ["403 not allowed", answered(403), abort],
    ["404 unknown model", answered(404), abort],
    ["413 too large", answered(413), abort],
    ["422 unprocessable", answered(422), abort],
    ["408 timeout", answered(408), retry],
    ["409 conflict", answered(409), retry],
    ["500", answered(500), retry],
    ["502", answered(502), retry],
    ["503", answered(503), retry],
    ["529 overloaded", answered(529), retry],
    ["503 that says when", answered(503, { "retry-after": "2" }), inMs(2_000)],
    ["429 without a time", answered(429), retry],
    ["429 in seconds", answered(429, { "retry-after": "7" }), inMs(7_000)],
    ["429 in fractions of a second", answered(429, { "retry-after": "0.5" }), inMs(500)],
    ["429 in milliseconds", answered(429, { "retry-after-ms": "250" }), inMs(250)],
    [
      "429 in both, of which milliseconds are exact",
      answered(429, { "retry-after-ms": "1250", "retry-after": "2" }),
      inMs(1_250),
    ],
    ["429 until a date", answered(429, { "retry-after": "Fri, 02 Jan 2026 03:05:05 GMT" }), inMs(60_000)],
    [
      "429 until a date in the past",
      answered(429, { "retry-after": "Thu, 01 Jan 2026 00:00:00 GMT" }),
      retry,
    ],
    [
      "429 for a day, which is believed for five minutes",
      answered(429, { "retry-after": "86400" }),
      inMs(300_000),
    ],
    ["429 that says now", answered(429, { "retry-after": "0" }), retry],
    ["429 with a time that is none", answered(429, { "retry-after": "soon" }), retry],
    [
      "429 with milliseconds that are none",
      answered(429, { "retry-after-ms": "", "retry-after": "3" }),
      inMs(3_000),
    ],
    ["exhausted quota", answered(429, { "retry-after": "1" }, { code: "insufficient_quota" }), abort],
    ["exhausted quota told by type only", answered(429, {}, { type: "insufficient_quota" }), abort],
  ])("%s", (_, error, verdict) => {
    expect(classifyError(error, now)).toEqual(verdict);
  });
});

describe("anything else", () => {
  it.each([
    ["no connection", new OpenAI.APIConnectionError({ cause: new Error("ECONNREFUSED") }), retry],
    ["no answer in time", new OpenAI.APIConnectionTimeoutError(), retry],
    ["a database that is away", Object.assign(new Error("terminating connection"), { code: "57P01" }), retry],
    ["a thrown text", "boom", retry],
    ["nothing", undefined, retry],
    ["a missing variable", new EnvironmentError([{ name: "OPENAI_API_KEY", problem: "is not set" }]), abort],
    ["vectors that do not fit", new EmbeddingShapeError("3 vectors for 4 texts"), retry],
    ["a text that no vectors are made of", new FailedTextError("The input was refused."), abort],
    ["a database without a model", new ModelError("no model is active"), abort],
    ["another declaration of the table", new SourceError("npx aftercommit migrate"), abort],
  ])("%s", (_, error, verdict) => {
    expect(classifyError(error, now)).toEqual(verdict);
  });
});

describe("a known wait", () => {
  it.each([
    ["the provider's limits", new RateLimitedError("text-embedding-3-small", 5_000)],
    [
      "a pause after a failure that is not about one text",
      new PausedError({ name: "m", pausedUntil: 1_000, pauseReason: "401" }),
    ],
  ])("is observed: %s", (_, error) => {
    expect(classifyError(error, now)).toEqual({ kind: "retryAt", at: new Date(error.retryAt) });
  });
});
