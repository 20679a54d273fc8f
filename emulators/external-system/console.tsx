/** @jsxImportSource hono/jsx */

import { absentPages } from "@aftercommit/local-shared/absent-pages.tsx";
import { answerPage } from "@aftercommit/local-shared/answer-page.ts";
import { HttpStatus } from "@aftercommit/local-shared/elements/badge.tsx";
import { Card, Figure } from "@aftercommit/local-shared/elements/card.tsx";
import { Last } from "@aftercommit/local-shared/elements/last.tsx";
import { Empty } from "@aftercommit/local-shared/elements/section.tsx";
import { Table } from "@aftercommit/local-shared/elements/table.tsx";
import { Time } from "@aftercommit/local-shared/elements/time.tsx";
import type { Pages, RealService } from "@aftercommit/local-shared/part.ts";
import { Hono } from "hono";
import type { Call } from "./calls.ts";

const place = { path: "/external-system", name: "Deletion calls" };
const paths = ["/external-system/*"];

/** The calls that the external system received. Only signed ones are kept. */
export function callPages(calls: { list(): Call[] }): Pages {
  const routes = new Hono().get(place.path, (c) =>
    answerPage(c, {
      title: place.name,
      place: place.path,
      body: <CallList calls={calls.list().slice(0, 100)} />,
    }),
  );
  return { place, paths, routes, card: () => <Calls calls={calls.list()} /> };
}

export const absentCallPages = (service?: RealService): Pages =>
  absentPages({
    place,
    paths,
    instead: "USER_DELETION_WEBHOOK_URLS points elsewhere.",
    service,
  });

function Calls({ calls }: { calls: Call[] }) {
  const [last] = calls;
  return (
    <Card name={place.name} href={place.path}>
      <Figure value={calls.length} unit="kept" />
      <Last at={last?.at} />
    </Card>
  );
}

function CallList({ calls }: { calls: Call[] }) {
  return (
    <>
      <h1>{place.name}</h1>
      <p class="lead">
        What the app told the local external system, with a valid signature: each deleted user.
      </p>
      <section class="panel" aria-label={place.name}>
        {calls.length > 0 ? <CallTable calls={calls} /> : <Empty>No call yet.</Empty>}
      </section>
    </>
  );
}

function CallTable({ calls }: { calls: Call[] }) {
  return (
    <Table
      caption="Calls, newest first"
      columns={[["User"], ["System", "roomy"], ["Answered"], ["Webhook id", "roomy"], ["When", "number"]]}
    >
      {calls.map((call) => (
        <tr data-key={`${call.at} ${call.webhookId}`}>
          <td>
            <span class="mono breaks">{call.userId}</span>
            <span class="id narrow">{call.system}</span>
          </td>
          <td class="roomy">{call.system}</td>
          <td>
            <HttpStatus status={call.status} />
          </td>
          <td class="roomy mono breaks">{call.webhookId}</td>
          <td class="number">
            <Time at={call.at} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
