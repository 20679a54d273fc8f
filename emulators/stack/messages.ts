import { z } from "zod";

/** The messages between the local stack's process and `npm run dev`, over the channel between them. */
export const fromStack = z.enum(["stack serves", "sequin serves"]);
export const toStack = z.enum(["start sequin"]);
