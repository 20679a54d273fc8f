import type { RunningPart } from "@aftercommit/local-shared/part.ts";
import { deliveryPages } from "./console/pages.tsx";
import { type Sequin, type SequinOptions, startSequin } from "./start.ts";

export { absentDeliveryPages as absent } from "./console/pages.tsx";
export { uninstall } from "./uninstall.ts";

/** Has the pages of Sequin ready; it captures and delivers from `connect` on, when tables and app are there. */
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
