export const NOTICES = {
  redelivering: "On its way again.",
  backfilling: "The backfill has begun: each row of the table is sent as a read message.",
  retrying: "Every waiting message is tried again now.",
} as const;
