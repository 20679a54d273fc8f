import type { Candidate } from "../../../packages/aftercommit/src/init/propose.ts";

/** A table that could be declared. */
export const candidate = (name: string, options: Partial<Candidate> = {}): Candidate => ({
  ...{ schema: "public", name, key: "id", text: [], email: null, rows: 0 },
  ...options,
});
