import { type Model, readModelsInUse } from "../models/models.ts";
import { withDeadline } from "../with-deadline.ts";
import type { Reading } from "./connection.ts";
import { available, NO_DATABASE } from "./unavailable.ts";

/**
 * Does work with the active model. If another model has become the active one in the meantime, the vectors of the first
 * may already be deleted, so the work is done again.
 */
export async function withActiveModel<T>(
  work: (model: Model) => Promise<T>,
  { pool, deadline }: Reading,
): Promise<T> {
  const read = () => withDeadline(() => readModelsInUse(pool), deadline);
  const activeModel = async () => (await available(read, NO_DATABASE)).active;
  for (let model = await activeModel(); ; ) {
    const [result] = await Promise.allSettled([work(model)]);
    const present = await activeModel();
    if (present.id !== model.id) model = present;
    else if (result.status === "fulfilled") return result.value;
    else throw result.reason;
  }
}
