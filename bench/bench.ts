import type { Server } from "./parts/server.ts";
import type { Report } from "./report.ts";

/** `quick`: few rows, for its counts alone. */
export type Bench = Report & { server: Server; quick: boolean };
