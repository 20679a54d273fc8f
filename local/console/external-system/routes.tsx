/** @jsxImportSource hono/jsx */
import { Hono } from "hono";
import type { Call } from "../../external-system/calls.ts";
import { HttpStatus } from "../elements/badge.tsx";
import { answerNotHere } from "../elements/not-here.tsx";
import { Empty } from "../elements/section.tsx";
import { Time } from "../elements/time.tsx";
import { answerPage } from "../page.tsx";
import type { ConsoleParts } from "../parts.ts";

const place = "/external-system";
const title = "Deletion calls";

/** The calls that the local external system took; only signed ones are kept. */
export function externalSystemRoutes(system: ConsoleParts["externalSystem"]): Hono {
  const app = new Hono();
  app.get("/external-system", (c) =>
    system
      ? answerPage(c, { title, place, body: <CallList calls={system.list().slice(0, 100)} /> })
      : answerNotHere(c, { title, place, instead: "USER_DELETION_WEBHOOK_URLS points elsewhere." }),
  );
  return app;
}

function CallList({ calls }: { calls: Call[] }) {
  return (
    <>
      <h1>{title}</h1>
      <p class="lead">
        What the app told the local external system, with a valid signature: each deleted user.
      </p>
      <section class="panel flush" aria-label={title}>
        {calls.length > 0 ? <CallTable calls={calls} /> : <Empty>No call yet.</Empty>}
      </section>
    </>
  );
}

function CallTable({ calls }: { calls: Call[] }) {
  return (
    <table>
      <caption class="visually-hidden">Calls, newest first</caption>
      <thead>
        <tr>
          <th scope="col">User</th>
          <th scope="col" class="roomy">
            System
          </th>
          <th scope="col">Answered</th>
          <th scope="col" class="roomy">
            Webhook id
          </th>
          <th scope="col" class="number">
            When
          </th>
        </tr>
      </thead>
      <tbody>
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
      </tbody>
    </table>
  );
}
