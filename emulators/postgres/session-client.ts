import type { ListenChange } from "./listeners.ts";
import type { ClientStatements } from "./prepared-statements.ts";
import type { ClientSettings } from "./session-settings.ts";
import type { Effect } from "./statement-effects.ts";

/** The session's state of one connection. */
export type SessionClient = {
  readonly pid: number;
  readonly statements: ClientStatements;
  readonly settings: ClientSettings;
  /** As in ReadyForQuery: I idle, T in a transaction, E in a failed one. */
  status: string;
  /** Messages of the extended protocol have run that no Sync has ended. */
  batchOpen: boolean;
  /** Effects that a CommandComplete will confirm, with their text. */
  expected: { effect: Effect; sql: string }[];
  listenChanges: ListenChange[];
  /** Changes before a ROLLBACK, which may have been to a savepoint. */
  suspendedChanges: ListenChange[];
  settingsChanged: boolean;
  notify(message: Buffer): void;
};

export type NewClient = Pick<SessionClient, "pid" | "settings" | "notify"> & { id: number };

export function sessionClient({ id, ...given }: NewClient): SessionClient {
  return {
    ...given,
    statements: { id, byName: new Map() },
    status: "I",
    batchOpen: false,
    expected: [],
    listenChanges: [],
    suspendedChanges: [],
    settingsChanged: false,
  };
}
