import { describe, expect, it } from "vitest";
import { Processes } from "../engine/processes.ts";

describe("a run that no process is idle for", () => {
  it("is dequeued immediately if none is busy either", () => {
    expect(new Processes(1_000).freeAt(0, 0, 0)).toBe(0);
  });

  it("waits for one that is busy, and no longer than a start takes", () => {
    const processes = new Processes(1_000);
    processes.take("a", 0);
    expect(processes.freeAt(10, 10, 1)).toBe(1_010);
    expect(processes.freeAt(1_010, 10, 1)).toBe(1_010);
  });

  it("gets the process of a run that has ended", () => {
    const processes = new Processes(1_000);
    processes.take("a", 0);
    processes.giveBack("a", 700, 100);
    expect(processes.freeAt(700, 10, 0)).toBe(700);
    processes.take("b", 700);
    expect(processes.freeAt(700, 700, 1)).toBe(1_300);
  });

  it("waits as long as the last start took, which is not the run's own time", () => {
    const processes = new Processes(1_000);
    processes.take("a", 0);
    processes.giveBack("a", 3_000, 500);
    processes.take("b", 3_000);
    expect(processes.freeAt(4_000, 4_000, 1)).toBe(6_500);
  });

  it("does not count on a process that the CLI has ended for being idle", () => {
    const processes = new Processes(1_000);
    processes.take("a", 0);
    processes.giveBack("a", 1_000, 0);
    processes.take("b", 31_000);
    expect(processes.freeAt(31_000, 31_000, 1)).toBe(32_000);
  });

  it("starts one process after the other for runs that take long", () => {
    const processes = new Processes(1_000);
    processes.take("a", 0);
    processes.take("b", 1_000);
    expect(processes.freeAt(1_000, 0, 2)).toBe(2_000);
  });

  it("never waits where no patience is asked for", () => {
    const processes = new Processes(0);
    processes.take("a", 0);
    processes.giveBack("a", 500, 0);
    processes.take("b", 500);
    expect(processes.freeAt(501, 501, 1)).toBe(501);
  });
});
