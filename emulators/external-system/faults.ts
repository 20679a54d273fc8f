import { z } from "zod";

export const faultSchema = z
  .strictObject({
    /** The system to fail. Default: every system. */
    name: z.string().min(1).optional(),
    status: z.int().min(300).max(599).optional(),
    /** Sent with the status as `retry-after`, in seconds. */
    retryAfterMs: z.int().min(0).optional(),
    delayMs: z.int().min(0).max(600_000).optional(),
    /** Answers 204 but keeps the user. */
    lies: z.literal(true).optional(),
    /** Without it, the fault stays until it is replaced or cleared. */
    times: z.int().min(1).optional(),
  })
  .refine(({ status, delayMs, lies }) => status ?? delayMs ?? lies, {
    message: "Set status, delayMs or lies",
  });

export type Fault = z.infer<typeof faultSchema>;

/** The faults of the next calls. A fault of one system takes precedence over one of every system. */
export function createFaults() {
  const faults = new Map<string | undefined, Fault>();
  return {
    set: (fault: Fault) => void faults.set(fault.name, fault),
    clear: () => faults.clear(),
    take(system: string): Fault | undefined {
      const fault = faults.get(system) ?? faults.get(undefined);
      if (fault?.times === 1) faults.delete(fault.name);
      else if (fault?.times) faults.set(fault.name, { ...fault, times: fault.times - 1 });
      return fault;
    },
  };
}
