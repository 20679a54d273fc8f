/** @jsxImportSource hono/jsx */

import { Badge } from "@aftercommit/local-shared/elements/badge.tsx";
import { Empty, Section } from "@aftercommit/local-shared/elements/section.tsx";
import type { Operations } from "../operate.ts";

export type SinkRow = ReturnType<Operations["sinks"]>[number] & {
  tables: string[];
  delivered: number;
  discarded: number;
};

/** The sinks of sequin.yaml with their pending work, each with a form to send a table's rows again. */
export function Sinks({ sinks }: { sinks: SinkRow[] }) {
  return (
    <Section id="sinks" title="Sinks">
      {sinks.length === 0 && <Empty>sequin.yaml has no sink.</Empty>}
      <ul class="sinks">
        {sinks.map((sink) => (
          <li class="sink" data-key={`sink-${sink.name}`}>
            <div>
              <strong>{sink.name}</strong>{" "}
              <Badge tone={sink.status === "active" ? "good" : "still"}>{sink.status}</Badge>
              <span class="id">{sink.url}</span>
            </div>
            <p class="muted">
              {sink.waiting} waiting · {sink.delivered} delivered · {sink.discarded} discarded
            </p>
            <Backfill sink={sink} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Backfill({ sink: { name, tables } }: { sink: SinkRow }) {
  if (tables.length === 0)
    return <p class="muted">None of its tables is in the database and in the publication.</p>;
  return (
    <form method="post" action="/deliveries/backfill" class="inline">
      <input type="hidden" name="sink" value={name} />
      <select name="table" aria-label={`Table to backfill to ${name}`}>
        {tables.map((table) => (
          <option>{table}</option>
        ))}
      </select>
      <button type="submit" class="quiet">
        Backfill<span class="visually-hidden"> to {name}</span>
      </button>
    </form>
  );
}
