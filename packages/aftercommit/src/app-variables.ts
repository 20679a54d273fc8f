import type { Declaration, From } from "./declare/declaration.ts";
import { REQUIRED_BY_APP, type VariableName } from "./env/env.ts";

const SECRET_OF: Readonly<Record<From, readonly VariableName[]>> = {
  sequin: ["SEQUIN_WEBHOOK_SECRET"],
  debezium: ["DEBEZIUM_WEBHOOK_SECRET"],
  supabase: ["SUPABASE_WEBHOOK_SECRET"],
  capture: [],
};

/** The variables that the app requires for these declarations. */
export const neededByApp = (declarations: readonly Declaration[]): VariableName[] => [
  ...REQUIRED_BY_APP,
  ...new Set(declarations.flatMap(({ from }) => SECRET_OF[from])),
];
