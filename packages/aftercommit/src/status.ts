// The data of the sample app's status page, for a page of your own.
export { type Due, sayDue } from "./deletions/due.ts";
export type { Hold } from "./deletions/holds.ts";
export type { ModelsInUse } from "./models/models.ts";
export type { Run } from "./runs/newest-runs.ts";
export type { DeletionOnPage, Step } from "./status/deletions.ts";
export type { Part } from "./status/part.ts";
export { type Status, statusOf, type TableOnPage } from "./status/read-status.ts";
export { MOST_COUNTED } from "./status/table-counts.ts";
export type { FailedRow, PendingRow, TableStatus } from "./status/table-status.ts";
