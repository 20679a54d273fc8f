/** @jsxImportSource hono/jsx */
import { Hono } from "hono";
import type { Operations } from "../../sequin/operate.ts";
import { Empty, Section } from "../elements/section.tsx";
import { Time } from "../elements/time.tsx";
import { answerPage } from "../page.tsx";
import type { ConsoleParts } from "../parts.ts";
import { RunTable } from "../runs/run-table.tsx";
import { Card, Elsewhere, Figure, NotHere, RunCounts } from "./cards.tsx";

/** The first page: every part in a few words, and the newest runs. */
export function overviewRoutes(parts: ConsoleParts): Hono {
  const app = new Hono();
  app.get("/", (c) => answerPage(c, { title: "Overview", place: "/", body: <Overview parts={parts} /> }));
  return app;
}

function Overview({ parts }: { parts: ConsoleParts }) {
  const { trigger, elsewhere } = parts;
  return (
    <>
      <h1>Overview</h1>
      <div class="cards">
        <Runs trigger={trigger} elsewhere={elsewhere} />
        <Card name="Deliveries" href="/deliveries">
          {parts.sequin ? (
            <Sinks sequin={parts.sequin()} />
          ) : (
            <NotHere>another Sequin watches the database.</NotHere>
          )}
        </Card>
        <Embeddings openai={parts.openai} elsewhere={elsewhere} />
        <Mails mail={parts.mail} elsewhere={elsewhere} />
        <Calls externalSystem={parts.externalSystem} elsewhere={elsewhere} />
      </div>
      {trigger && (
        <Section id="latest" title="Latest runs">
          <RunCounts byStatus={trigger.summarizeRuns().byStatus} />
          <Latest page={trigger.listRuns({ "page[size]": 10 })} />
        </Section>
      )}
    </>
  );
}

function Latest({ page }: { page: ReturnType<NonNullable<ConsoleParts["trigger"]>["listRuns"]> }) {
  return page.data.length > 0 ? (
    <RunTable runs={page.data} caption="The ten newest runs" />
  ) : (
    <Empty>No run yet.</Empty>
  );
}

function Runs({ trigger, elsewhere }: Pick<ConsoleParts, "trigger" | "elsewhere">) {
  if (!trigger)
    return (
      <Card name="Runs" href="/runs">
        <Elsewhere service={elsewhere?.trigger} fallback="another Trigger.dev has the runs." />
      </Card>
    );
  const { byStatus, connected } = trigger.summarizeRuns();
  const total = Object.values(byStatus).reduce((sum, count) => sum + count, 0);
  return (
    <Card name="Runs" href="/runs">
      <Figure value={total} unit={total === 1 ? "run" : "runs"} />
      <p class="muted">{connected ? "trigger.dev dev is connected" : "trigger.dev dev is not connected"}</p>
    </Card>
  );
}

function Sinks({ sequin }: { sequin: Operations | undefined }) {
  if (!sequin) return <p class="muted">Starts as soon as the app answers.</p>;
  const sinks = sequin.sinks();
  const waiting = sinks.reduce((sum, sink) => sum + sink.waiting, 0);
  return (
    <>
      <Figure value={waiting} unit="waiting" />
      <p class="muted">
        of {sinks.length} {sinks.length === 1 ? "sink" : "sinks"}
      </p>
    </>
  );
}

function Embeddings({ openai, elsewhere }: Pick<ConsoleParts, "openai" | "elsewhere">) {
  const stats = openai?.stats();
  const last = stats?.last[0];
  return (
    <Card name="Embeddings">
      {stats ? (
        <>
          <Figure value={stats.calls} unit={stats.calls === 1 ? "call" : "calls"} />
          <p class="muted">
            {stats.tokens.toLocaleString("en")} tokens, {stats.failures} failed since the start
          </p>
          {last && (
            <p class="muted">
              last <Time at={last.at} />
            </p>
          )}
        </>
      ) : (
        <Elsewhere service={elsewhere?.openai} fallback="another server makes the embeddings." />
      )}
    </Card>
  );
}

function Mails({ mail, elsewhere }: Pick<ConsoleParts, "mail" | "elsewhere">) {
  const mails = mail?.list();
  const last = mails?.[0];
  return (
    <Card name="Mails" href="/mails">
      {mails ? (
        <Figure value={mails.length} unit="kept" />
      ) : (
        <Elsewhere service={elsewhere?.mail} fallback="another server sends the mails." />
      )}
      {last && (
        <p class="muted">
          last <Time at={last.receivedAt} />
        </p>
      )}
    </Card>
  );
}

function Calls({ externalSystem, elsewhere }: Pick<ConsoleParts, "externalSystem" | "elsewhere">) {
  const calls = externalSystem?.list();
  const last = calls?.[0];
  return (
    <Card name="Deletion calls" href="/external-system">
      {calls ? (
        <Figure value={calls.length} unit="kept" />
      ) : (
        <Elsewhere service={elsewhere?.externalSystem} fallback="the calls go elsewhere." />
      )}
      {last && (
        <p class="muted">
          last <Time at={last.at} />
        </p>
      )}
    </Card>
  );
}
