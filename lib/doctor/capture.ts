import {
  readIdentities,
  readPublication,
  readSlot,
  readTriggerCapture,
  readWalSettings,
} from "../../drizzle/queries/capture-facts.ts";
import { type Check, good, notNeeded, once, problem } from "./check.ts";
import { doctorsDatabase } from "./database.ts";
import { readSequinYaml } from "./sequin-yaml.ts";

const MB = 1024 * 1024;
const MOST_LAG_MB = 256;
const ACTIONS = ["insert", "update", "delete"];

const without = (all: readonly string[], these: readonly string[]) =>
  all.filter((one) => !these.includes(one));
const inMb = (bytes: number) => `${(bytes / MB).toFixed(1)} MB`;

const make = (slot: string) => `select pg_create_logical_replication_slot('${slot}', 'pgoutput')`;
const makeAnew = (slot: string) => `select pg_drop_replication_slot('${slot}'); ${make(slot)}`;

/** Whether the database gives Sequin every change: by logical replication, or to a stand-in by triggers. */
export function capture(): Check[] {
  const yaml = once(readSequinYaml);
  const slot = once(async () => readSlot(doctorsDatabase(), (await yaml()).slot));
  const publication = once(async () => readPublication(doctorsDatabase(), (await yaml()).publication.name));
  const settings = once(() => readWalSettings(doctorsDatabase()));
  return [
    {
      id: "capture.tables",
      description: "the tables of sequin.yaml log the whole old row (replica identity full)",
      hint: "alter table NAME replica identity full",
      needs: ["database.migrations"],
      async run() {
        const { tables } = await yaml();
        const found = await readIdentities(doctorsDatabase(), tables);
        const missing = without(
          tables,
          found.map(({ table }) => table),
        );
        if (missing.length > 0)
          return problem(`not in the database: ${missing.join(", ")}`, "npm run migrate");
        const partial = found.filter(({ isFull }) => !isFull).map(({ table }) => table);
        if (partial.length === 0) return good(tables.join(", "));
        return problem(
          `not so: ${partial.join(", ")}`,
          partial.map((table) => `alter table ${table} replica identity full`).join("; "),
        );
      },
    },
    {
      id: "capture.logical",
      description: "wal_level is logical",
      hint: "alter system set wal_level = 'logical', then restart PostgreSQL (a hosted one: in its settings)",
      fatal: true,
      needs: ["database.reachable"],
      async run() {
        const { tables } = await yaml();
        const byTriggers = await readTriggerCapture(doctorsDatabase(), tables);
        if (byTriggers && without(tables, byTriggers.tables).length === 0) return notNeeded(byTriggers.says);
        const { walLevel } = await settings();
        return walLevel === "logical" ? good(walLevel) : problem(walLevel);
      },
    },
    {
      id: "capture.publication",
      description: "the publication has every table and action of sequin.yaml",
      hint: "Make it as sequin.yaml's init_sql says: a later change of init_sql does nothing",
      fatal: true,
      needs: ["capture.logical"],
      async run() {
        const { publication: wanted, tables } = await yaml();
        const found = await publication();
        if (!found) return problem(`there is no publication ${wanted.name}`, wanted.initSql);
        const missing = without(tables, found.tables);
        if (missing.length > 0)
          return problem(
            `${wanted.name} lacks ${missing.join(", ")}`,
            `alter publication ${wanted.name} add table ${missing.join(", ")}`,
          );
        const actions = without(ACTIONS, found.actions);
        if (actions.length === 0) return good(`${wanted.name}: ${tables.join(", ")}`);
        return problem(
          `${wanted.name} does not publish ${actions.join(", ")}`,
          `alter publication ${wanted.name} set (publish = 'insert, update, delete')`,
        );
      },
    },
    {
      id: "capture.slot",
      description: "Sequin's replication slot is there and has lost nothing",
      hint: "Make the slot after the publication, and then `npm run reconcile` for what was missed",
      fatal: true,
      needs: ["capture.publication"],
      async run() {
        const { slot: name } = await yaml();
        const found = await slot();
        if (!found) return problem(`there is no slot ${name}`, make(name));
        if (!found.isHere) return problem(`${name} belongs to another database`);
        if (found.plugin !== "pgoutput")
          return problem(`${name} has the plugin ${found.plugin}`, makeAnew(name));
        if (found.walStatus === "lost")
          return problem(`${name} fell behind max_slot_wal_keep_size and has lost its log`, makeAnew(name));
        return good(`${name}, log ${found.walStatus}`);
      },
    },
    {
      id: "capture.order",
      description: "the publication is older than the slot",
      hint: "Make the slot anew: at its place in the log there was no publication yet, and decoding fails there",
      needs: ["capture.slot"],
      async run() {
        const [{ slot: name }, reader, published] = await Promise.all([yaml(), slot(), publication()]);
        const [old, back] = [published?.age ?? 0, reader?.age ?? 0];
        const seen = `the publication is ${old} transactions old, the slot looks back ${back}`;
        // One made in the very next transaction after the slot has the age that the slot looks back.
        return old <= back ? problem(seen, makeAnew(name)) : good(seen);
      },
    },
    {
      id: "capture.reader",
      description: "Sequin reads the slot",
      hint: "Start Sequin, and look into its log for why it does not connect",
      needs: ["capture.slot"],
      async run() {
        const found = await slot();
        const lag = inMb(found?.lag ?? 0);
        return found?.active
          ? good(`active, ${lag} behind`)
          : problem(`nobody reads it; it is ${lag} behind`);
      },
    },
    {
      id: "capture.lag",
      description: `the slot is less than ${MOST_LAG_MB} MB behind`,
      hint: "See in Sequin's console which sink does not deliver, and in the app's log why; what waits is kept",
      warning: true,
      needs: ["capture.slot"],
      async run() {
        const lag = (await slot())?.lag ?? 0;
        return lag > MOST_LAG_MB * MB ? problem(`${inMb(lag)} behind`) : good(`${inMb(lag)} behind`);
      },
    },
    {
      id: "capture.limit",
      description: "a slot that nobody reads cannot fill the disk (max_slot_wal_keep_size)",
      hint: "alter system set max_slot_wal_keep_size = '10GB'; select pg_reload_conf()",
      warning: true,
      needs: ["capture.logical"],
      async run() {
        const { walKept } = await settings();
        return walKept < 0 ? problem("no limit") : good(`${walKept} MB`);
      },
    },
  ];
}
