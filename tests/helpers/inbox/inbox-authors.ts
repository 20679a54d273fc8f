import { drizzle } from "drizzle-orm/node-postgres";
import type { Client } from "pg";
import { accept } from "../../../packages/aftercommit/src/inbox/accept.ts";
import type { Change, Row, Scenario } from "./inbox-scenarios.ts";
import { rowIdOf, type Sessions, type Step, step } from "./inbox-step.ts";

type Transaction = { state: "not begun" | "open" | "visible"; xid: bigint };
type Acceptance = { message: string; rowIds: string[]; xid: bigint; client: Client };

const XID = "select pg_current_xact_id()::text as xid";

async function beginWith(client: Client, statements: () => Promise<void> = async () => {}): Promise<bigint> {
  await client.query("begin");
  await statements();
  const { rows } = await client.query(XID);
  return BigInt(rows[0].xid);
}

/**
 * The authors who change rows, and the messages about it: each may arrive before its commit is visible, late, and
 * again.
 */
export class Authors {
  /** The rows as everyone sees them. */
  readonly rows: Row[];
  readonly #scenario: Scenario;
  readonly #sessions: Sessions;
  readonly #transactions: Transaction[];
  #acceptances: Acceptance[] = [];
  /** How often each message has been delivered, by transaction and statement. */
  readonly #delivered: number[][];
  #repeats: number;

  constructor(scenario: Scenario, sessions: Sessions) {
    this.#scenario = scenario;
    this.#sessions = sessions;
    this.rows = [...scenario.rows];
    this.#transactions = scenario.transactions.map(() => ({ state: "not begun", xid: 0n }));
    this.#delivered = scenario.transactions.map((changes) => changes.map(() => 0));
    this.#repeats = scenario.repeats ?? 0;
  }

  /** Whether everything that was committed is visible, and everything that was sent has been accepted. */
  get isSettled(): boolean {
    return (
      this.#transactions.every(({ state }) => state === "visible") &&
      this.#acceptances.length === 0 &&
      this.#delivered.flat().every((times) => times > 0)
    );
  }

  /** The rows that an open transaction has changed. */
  touched(): number[] {
    return this.#transactions.flatMap(({ state }, i) =>
      state === "open"
        ? (this.#scenario.transactions[i] ?? []).flatMap(({ row, to = row }) => [row, to])
        : [],
    );
  }

  /** The open transactions that began before a transaction: until they end, a read that must see it is not certain. */
  before(xid: bigint): string[] {
    const open = [
      ...this.#transactions.map((one, i) => ({
        name: `T${i + 1}`,
        xid: one.state === "open" ? one.xid : 0n,
      })),
      ...this.#acceptances.map((one) => ({ name: one.message, xid: one.xid })),
    ];
    return open.filter((one) => one.xid > 0n && one.xid < xid).map(({ name }) => name);
  }

  /** Everything that decides what they can do from here on. */
  key(): unknown {
    return [
      this.rows,
      this.#transactions.map(({ state, xid }) => [state, state === "open" ? this.before(xid) : []]),
      this.#acceptances.map(({ message, xid }) => [message, this.before(xid)]),
      this.#delivered,
      this.#repeats,
    ];
  }

  steps(): Step[] {
    return [
      ...this.#transactions.flatMap((transaction, i) => this.#ofTransaction(transaction, i)),
      ...this.#acceptances.map((acceptance) => this.#commit(acceptance)),
    ];
  }

  #ofTransaction(transaction: Transaction, i: number): Step[] {
    const changes = this.#scenario.transactions[i] ?? [];
    const client = this.#sessions.authors[i];
    if (!client) throw new Error("There are too few sessions");
    if (transaction.state === "not begun") {
      const touched = this.touched();
      const isFree = changes.every(({ row, to = row }) => !touched.includes(row) && !touched.includes(to));
      if (this.#transactions[i - 1]?.state === "not begun" || !isFree) return [];
      const write = async () => {
        transaction.xid = await beginWith(client, () => this.#write(changes, client));
        transaction.state = "open";
      };
      return [step(`T${i + 1} is flushed and decoded`, write)];
    }
    const commit = async () => {
      await client.query("commit");
      transaction.state = "visible";
      for (const { row, becomes, to = row } of changes) {
        this.rows[row] = undefined;
        this.rows[to] = becomes;
      }
    };
    return [
      ...(transaction.state === "open" ? [step(`T${i + 1} is visible`, commit)] : []),
      ...changes.flatMap((change, j) => this.#arrival(i, j, change)),
    ];
  }

  async #write(changes: readonly Change[], client: Client): Promise<void> {
    const rows = [...this.rows];
    for (const { row, becomes, to = row } of changes) {
      const values = [rowIdOf(to), becomes?.text, becomes?.published];
      if (!becomes) await client.query("delete from notes where id = $1", [rowIdOf(row)]);
      else if (rows[row])
        await client.query("update notes set id = $1, body = $2, published = $3 where id = $4", [
          ...values,
          rowIdOf(row),
        ]);
      else await client.query("insert into notes (id, body, published) values ($1, $2, $3)", values);
      rows[row] = undefined;
      rows[to] = becomes;
    }
  }

  /** A message arrives, and its acceptance has a transaction id: before and after that, others may run. */
  #arrival(i: number, j: number, { row, to = row }: Change): Step[] {
    const times = this.#delivered[i]?.[j] ?? 0;
    const taken = this.#acceptances.map(({ client }) => client);
    const client = this.#sessions.acceptors.find((one) => !taken.includes(one));
    if (!client || (times > 0 && this.#repeats === 0)) return [];
    const message = `M${i + 1}.${j + 1}${"'".repeat(times)}`;
    const run = async () => {
      this.#delivered[i] = (this.#delivered[i] ?? []).with(j, times + 1);
      if (times > 0) this.#repeats -= 1;
      const rowIds = [...new Set([to, row])].map(rowIdOf);
      this.#acceptances.push({ message, rowIds, xid: await beginWith(client), client });
    };
    return [step(`${message} arrives`, run, times > 0)];
  }

  #commit(acceptance: Acceptance): Step {
    const { message, rowIds, client } = acceptance;
    return step(`${message} is accepted`, async () => {
      const changes = rowIds.map((rowId) => ({ rowId, queue: "realtime", changedAt: null }) as const);
      await accept(drizzle({ client }), this.#sessions.source.name, changes);
      await client.query("commit");
      this.#acceptances = this.#acceptances.filter((other) => other !== acceptance);
    });
  }
}
