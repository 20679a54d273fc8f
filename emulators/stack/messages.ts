import { z } from "zod";

/** What the process of the local stack and `npm run dev` tell each other, over the channel between them. */
export const fromStack = z.enum(["stack serves", "sequin serves"]);
export const toStack = z.enum(["start sequin"]);
