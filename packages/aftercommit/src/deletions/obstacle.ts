import type { Database } from "../db/client.ts";
import type { DeletionDeclaration } from "../declare/declaration.ts";
import { isHeld } from "./holds.ts";
import type { Deletion } from "./ledger.ts";
import { rowIsBack } from "./row-is-back.ts";

/** Why a step must not run now. */
export type Obstacle = "row-is-back" | "held";

/** Checks before a step whether something prevents it. Rejects like {@link rowIsBack}. */
export async function obstacleTo(
  db: Database,
  declaration: DeletionDeclaration,
  deletion: Deletion,
): Promise<Obstacle | undefined> {
  if (deletion.outcome || (await rowIsBack(db, declaration, deletion))) return "row-is-back";
  return (await isHeld(db, deletion)) ? "held" : undefined;
}
