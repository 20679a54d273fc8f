import { z } from "zod";

export const faultSchema = z.strictObject({
  /** The system to fail, every system when left out. */
  name: z.string().min(1).optional(),
  status: z.int().min(300).max(599),
  /** Without it the fault holds until it is replaced or cleared. */
  times: z.int().min(1).optional(),
});

export type Fault = z.infer<typeof faultSchema>;

/** Holds what the next calls are to be answered with; a fault of one system goes before that of every system. */
export function createFaults() {
  const faults = new Map<string | undefined, Fault>();
  return {
    set: (fault: Fault) => void faults.set(fault.name, fault),
    clear: () => faults.clear(),
    take(system: string): number | undefined {
      const fault = faults.get(system) ?? faults.get(undefined);
      if (fault?.times === 1) faults.delete(fault.name);
      else if (fault?.times) faults.set(fault.name, { ...fault, times: fault.times - 1 });
      return fault?.status;
    },
  };
}
