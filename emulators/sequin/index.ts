import type { RunningPart } from "@aftercommit/local-shared/part.ts";
import { deliveryPages } from "./console/pages.tsx";
import { type Sequin, type SequinOptions, startSequin } from "./start.ts";

export { absentDeliveryPages as absent } from "./console/pages.tsx";

/** Serves Sequin's pages. It captures and delivers once `connect` is called, when the tables and the app exist. */
export async function start(options: SequinOptions): Promise<RunningPart> {
  let sequin: Sequin | undefined;
  return {
    pages: deliveryPages(() => sequin),
    async connect() {
      sequin = await startSequin(options);
    },
    close: async () => sequin?.close(),
  };
}
