import { parseArgs } from "node:util";
import { hold, release } from "./hold.ts";
import { list } from "./list.ts";
import { preview } from "./preview.ts";
import { exportReceipts, receipt } from "./receipts.ts";
import { replay } from "./replay.ts";
import { retry } from "./retry.ts";
import { type CommandContext, targetOf } from "./target.ts";

const usage = (row: string) => `npx aftercommit deletions COMMAND
  preview --${row} ID              what would be sent to whom; sends nothing
  hold --${row} ID --reason TEXT   no step is taken until it is released
  release --${row} ID
  list                            the open deletions, and what is on hold
  retry --${row} ID                another run for its open deletion, now
  receipt --${row} ID              its signed receipts
  export [--since TIME]           the receipts of all deletions that changed since
  replay --receipts FILE --since TIME [--yes]
                                  after a restore: lists what was deleted since and exists again; deletes it with --yes`;

function timeOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new Error("--since takes a time such as 2026-11-28T09:00:00Z");
  return time;
}

/** `npx aftercommit deletions`. Rejects with a message for the person who ran it. */
export async function deletionsCommand(args: readonly string[], context: CommandContext): Promise<void> {
  const rows = context.declarations.map(({ row }) => [row, { type: "string" }] as const);
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...Object.fromEntries(rows),
      reason: { type: "string" },
      receipts: { type: "string" },
      since: { type: "string" },
      yes: { type: "boolean", default: false },
    },
  });
  const { reason, receipts: file, yes } = values;
  const since = timeOf(values.since);
  const target = () => targetOf(values, context);
  const [verb, ...others] = positionals;
  const commands: Record<string, () => Promise<void>> = {
    preview: async () => preview(await target(), context),
    hold: async () => hold(await target(), reason, context),
    release: async () => release(await target(), context),
    list: () => list(context),
    retry: async () => retry(await target(), context),
    receipt: async () => receipt(await target(), context),
    export: () => exportReceipts(since, context),
    replay: async () => {
      if (!file || !since)
        throw new Error("replay needs --receipts FILE and --since, the time of the backup");
      await replay({ file, since, yes }, context);
    },
  };
  const run = verb === undefined || others.length > 0 ? undefined : commands[verb];
  if (!run) throw new Error(usage(context.declarations[0]?.row ?? "user"));
  await run();
}
