/** @jsxImportSource hono/jsx */

import { Badge, type Tone } from "@aftercommit/local-shared/elements/badge.tsx";
import type { RunSummary } from "../run-console.ts";

export type Status = keyof RunSummary["byStatus"];

const SHOWN: Record<Status, [tone: Tone, text: string]> = {
  EXECUTING: ["busy", "Executing"],
  DEQUEUED: ["busy", "Dequeued"],
  QUEUED: ["waiting", "Queued"],
  WAITING: ["waiting", "Waiting"],
  DELAYED: ["waiting", "Delayed"],
  PENDING_VERSION: ["waiting", "Pending version"],
  COMPLETED: ["good", "Completed"],
  FAILED: ["bad", "Failed"],
  CRASHED: ["bad", "Crashed"],
  SYSTEM_FAILURE: ["bad", "System failure"],
  TIMED_OUT: ["bad", "Timed out"],
  EXPIRED: ["bad", "Expired"],
  CANCELED: ["still", "Canceled"],
};

export const isStatus = (text: string): text is Status => Object.hasOwn(SHOWN, text);

export const STATUSES = Object.keys(SHOWN).filter(isStatus);

export function statusText(status: Status): string {
  return SHOWN[status][1];
}

export function isOver(status: Status): boolean {
  const [tone] = SHOWN[status];
  return tone === "good" || tone === "bad" || tone === "still";
}

export function StatusBadge({ status }: { status: Status }) {
  const [tone, text] = SHOWN[status];
  return <Badge tone={tone}>{text}</Badge>;
}
