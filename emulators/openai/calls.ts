export type Call = {
  /** When the call ended. */
  at: string;
  status: number;
  inputs: number;
  tokens: number;
  milliseconds: number;
};

const KEPT = 20;

/** Counts the requests to `/v1/embeddings` since the start and keeps the last 20, newest first. */
export function createCalls() {
  const totals = { calls: 0, inputs: 0, tokens: 0, failures: 0 };
  const last: Call[] = [];
  return {
    add(call: Call) {
      totals.calls += 1;
      totals.inputs += call.inputs;
      totals.tokens += call.tokens;
      if (call.status >= 400) totals.failures += 1;
      last.unshift(call);
      last.length = Math.min(last.length, KEPT);
    },
    stats: () => ({ ...totals, last }),
  };
}

export type Calls = ReturnType<typeof createCalls>;
