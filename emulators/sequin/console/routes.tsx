/** @jsxImportSource hono/jsx */

import { answerPage } from "@aftercommit/local-shared/answer-page.ts";
import { answerMissing, answerNotHere } from "@aftercommit/local-shared/elements/not-here.tsx";
import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Operations } from "../operate.ts";
import { DeliveryList, DeliveryQuery } from "./delivery-list.tsx";
import { DeliveryView } from "./delivery-page.tsx";
import { deliveryPath } from "./path.ts";
import type { SinkRow } from "./sinks.tsx";

const PAGE = 50;
const place = "/deliveries";
const backfill = z.object({ sink: z.string(), table: z.string() });

export function deliveryRoutes(current: () => Operations | undefined): Hono {
  const app = new Hono();
  const missing = (c: Context) =>
    answerMissing(c, {
      place,
      what: "There is no such delivery. Of those that are finished, the newest are kept.",
    });

  const withSequin =
    (answer: (c: Context, sequin: Operations) => Response | Promise<Response>) => (c: Context) => {
      const sequin = current();
      if (sequin) return answer(c, sequin);
      return answerNotHere(c, {
        title: "Deliveries",
        place,
        instead: "Sequin starts as soon as the app answers.",
      });
    };
  const withDelivery = (
    answer: (c: Context, sequin: Operations, id: number) => Response | Promise<Response>,
  ) =>
    withSequin((c, sequin) => {
      const id = z.coerce.number().int().positive().safe().safeParse(c.req.param("id"));
      return id.success ? answer(c, sequin, id.data) : missing(c);
    });

  app.get(
    "/deliveries",
    withSequin(async (c, sequin) => {
      const query = DeliveryQuery.parse(c.req.query());
      const found = await sequin.deliveries(PAGE + 1, query);
      const deliveries = found.slice(0, PAGE);
      const older = found.length > PAGE ? deliveries.at(-1)?.id : undefined;
      const sinks = await sinkRows(sequin);
      const body = <DeliveryList sinks={sinks} deliveries={deliveries} older={older} query={query} />;
      return answerPage(c, { title: "Deliveries", place, body });
    }),
  );
  app.get(
    "/deliveries/:id",
    withDelivery(async (c, sequin, id) => {
      const delivery = await sequin.delivery(id);
      if (!delivery) return missing(c);
      const body = (
        <DeliveryView delivery={delivery} message={await sequin.message(id)} notice={c.req.query("notice")} />
      );
      return answerPage(c, { title: `Delivery ${id}`, place, body });
    }),
  );

  app.post(
    "/deliveries/:id{[0-9]+}/redeliver",
    withDelivery(async (c, sequin, id) =>
      (await sequin.redeliver(id)) ? c.redirect(`${deliveryPath(id)}?notice=redelivering`, 303) : missing(c),
    ),
  );
  app.post(
    "/deliveries/retry",
    withSequin((c, sequin) => {
      sequin.retryNow();
      return c.redirect("/deliveries?notice=retrying", 303);
    }),
  );
  app.post(
    "/deliveries/backfill",
    withSequin(async (c, sequin) => {
      const asked = backfill.safeParse(await c.req.parseBody());
      const known = asked.success && sequin.sinks().some(({ name }) => name === asked.data.sink);
      // A table that the sink does not take would be waited for forever.
      if (!known || !(await sequin.tables(asked.data.sink)).includes(asked.data.table))
        return c.text("No sink takes this table.\n", 400);
      await sequin.backfill(asked.data.sink, asked.data.table);
      return c.redirect("/deliveries?notice=backfilling", 303);
    }),
  );
  return app;
}

async function sinkRows(sequin: Operations): Promise<SinkRow[]> {
  const counts = await sequin.counts();
  return Promise.all(
    sequin.sinks().map(async (sink) => {
      const kept = (status: string) =>
        counts.find((row) => row.sink === sink.name && row.status === status)?.count ?? 0;
      const tables = await sequin.tables(sink.name);
      return { ...sink, tables, delivered: kept("delivered"), discarded: kept("discarded") };
    }),
  );
}
