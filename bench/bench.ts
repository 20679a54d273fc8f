import type { Server } from "./parts/server.ts";
import type { Report } from "./report.ts";

/** `quick`: few rows, only for the counts. */
export type Bench = Report & { server: Server; quick: boolean };
