import type { Call } from "../external-system/calls.ts";
import type { Mailbox } from "../mail/mailbox.ts";
import type { Calls } from "../openai/calls.ts";
import type { RealServices } from "../real-services.ts";
import type { Operations } from "../sequin/operate.ts";
import type { RunConsole } from "../trigger/run-console.ts";

/** What the pages show and operate; a part that is left out does not run in this stack, and its pages say so. */
export type ConsoleParts = {
  trigger?: RunConsole;
  /** Answers undefined for as long as Sequin waits for the app to serve. */
  sequin?: () => Operations | undefined;
  mail?: Pick<Mailbox, "list" | "find">;
  externalSystem?: { list(): Call[] };
  openai?: Pick<Calls, "stats">;
  /** Where to look instead for what is left out. */
  elsewhere?: RealServices;
};
