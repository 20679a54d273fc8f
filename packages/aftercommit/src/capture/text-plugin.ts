import type { Client } from "pg";
import { PgoutputPlugin } from "pg-logical-replication";
import type { Feed } from "./feed.ts";

const BOOL = 16;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;
const PRINTED = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(\+00)?$/;

/** As Sequin prints it, so that a soft deletion has the same position from both. */
function isoOf(text: string): string {
  const [, date, time, fraction = "", zone] = PRINTED.exec(text) ?? [];
  return date === undefined ? text : `${date}T${time}.${fraction.padEnd(6, "0")}${zone ? "Z" : ""}`;
}

function parserOf(typeOid: number): (text: string) => unknown {
  if (typeOid === BOOL) return (text) => text === "t";
  return typeOid === TIMESTAMP || typeOid === TIMESTAMPTZ ? isoOf : (text) => text;
}

/** Reads pgoutput with values as texts: pg's own parsers would round numbers and cut times to milliseconds. */
export class TextPlugin extends PgoutputPlugin {
  /** How many messages were read from the connection so far. */
  read = 0;
  readonly #isTemporary: boolean;

  constructor({ publication, isTemporary }: Feed) {
    super({ protoVersion: 1, publicationNames: [publication] });
    this.#isTemporary = isTemporary;
  }

  override async start(client: Client, slot: string, lsn: string): Promise<unknown> {
    if (this.#isTemporary)
      await client.query(`CREATE_REPLICATION_SLOT ${slot} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`);
    return super.start(client, slot, lsn);
  }

  override parse(buffer: Buffer): ReturnType<PgoutputPlugin["parse"]> {
    this.read += 1;
    const message = super.parse(buffer);
    if (message.tag === "relation")
      for (const column of message.columns) column.parser = parserOf(column.typeOid);
    return message;
  }
}
