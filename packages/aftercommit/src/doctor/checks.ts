/**
 * Every check of `npx aftercommit doctor` by its id, which never changes, and what it expects. docs/doctor.md lists
 * them.
 */
export const CHECKS = {
  "environment.variables":
    "each variable that the app and the tasks need is set and well formed, no secret short",
  "database.connection":
    "the database of DATABASE_URL answers; if that is a connection pooler, so does DIRECT_DATABASE_URL",
  "database.pgvector": "pgvector is 0.8.4 or newer",
  "database.migrations": "every migration of this version is applied",
  "database.model": "there is an active embedding model, and no model is paused",
  "declarations.sequin": "sequin.yaml captures each declared table and delivers it to its route",
  "declarations.tables": "each declaration fits its table: columns, key, privileges and replica identity",
  "declarations.recorded": "the database has the declarations of this version",
  "declarations.rows": "no row failed, and none has been pending for more than an hour",
  "declarations.deletions": "no deletion is overdue, or will be soon",
  "capture.wal": "wal_level is logical, and max_slot_wal_keep_size keeps a slot from filling the disk",
  "capture.publication": "the publication has every declared table, with the actions of its declaration",
  "capture.slot":
    "Sequin, or npx aftercommit capture, reads its slot, which has lost nothing and retains under 256 MB of WAL; capture is under 3 s behind",
  "capture.sinks": "each declaration has an active sink in Sequin, and Sequin delivers to APP_URL",
  "capture.deliveries": "Sequin's last deliveries succeeded",
  "trigger.key": "Trigger.dev answers, accepts TRIGGER_SECRET_KEY, and is 4.7 or newer",
  "trigger.tasks": "every task of the declarations is deployed, in the version that the app asks for",
  "trigger.queues": "no queue is paused",
  "trigger.variables": "the tasks have every variable that they need, and the app's external systems",
  "provider.vectors": "the provider answers a vector of the active model's width (embeds one word)",
  "ingress.app": "the app at APP_URL answers and is healthy",
  "ingress.routes": "each route accepts SEQUIN_WEBHOOK_SECRET and nothing else (sends an empty batch)",
  "deletions.systems": "each external system accepts a connection, encrypted unless it is on this machine",
  "deletions.test": "each webhook accepts a signed test event (sent only with --test-webhooks)",
  "deletions.mail": "the mail server of SMTP_URL answers and accepts the login (sends nothing)",
} as const;

export type CheckId = keyof typeof CHECKS;

export const categoryOf = (id: string) => id.slice(0, id.indexOf("."));
