import { describe, expect, it } from "vitest";
import { rowChangeOf } from "../sequin/row-change.ts";
import { isEdit } from "./is-edit.ts";

const message = (action: string, metadata: object) =>
  rowChangeOf({ action, record: { id: 1 }, changes: null, metadata });

const commit = (lsn: number, rows: number, first = 0) =>
  Array.from({ length: rows }, (_, n) => message("update", { commit_lsn: lsn, commit_idx: first + n }));

const editsAmong = (...messages: ReturnType<typeof message>[]) => messages.filter(isEdit(messages)).length;

describe("an edit", () => {
  it("is each row of a commit of up to ten", () => {
    expect(editsAmong(...commit(1, 10))).toBe(10);
  });

  it("is no row of a larger commit, whatever deliveries it arrives in", () => {
    expect(editsAmong(...commit(1, 11))).toBe(0);
    expect(editsAmong(...commit(1, 5, 10))).toBe(0);
  });

  it("may share its delivery with an import", () => {
    expect(editsAmong(...commit(1, 300, 700), ...commit(2, 1))).toBe(1);
  });

  it("is each of many small commits in one delivery", () => {
    expect(editsAmong(...Array.from({ length: 20 }, (_, n) => commit(n, 1)).flat())).toBe(20);
  });

  it("is no row of a backfill", () => {
    expect(editsAmong(message("read", { commit_lsn: null }))).toBe(0);
  });

  it("is recognized by the commit's time if the message has no position", () => {
    const at = (time: string) => message("update", { commit_timestamp: time });
    const rows = Array.from({ length: 11 }, () => at("2026-01-01T00:00:00.000000Z"));
    expect(editsAmong(...rows, at("2026-01-01T00:00:01.000000Z"))).toBe(1);
  });
});
