/** @jsxImportSource hono/jsx */
import { absentPages } from "@aftercommit/local-shared/absent-pages.tsx";
import { Card, Figure } from "@aftercommit/local-shared/elements/card.tsx";
import type { Pages } from "@aftercommit/local-shared/part.ts";
import type { Operations } from "../operate.ts";
import { deliveryRoutes } from "./routes.tsx";

const place = { path: "/deliveries", name: "Deliveries" };
const paths = ["/deliveries/*"];

/** The deliveries, with forms to send them again. `current` returns undefined until Sequin has started. */
export function deliveryPages(current: () => Operations | undefined): Pages {
  const card = () => (
    <Card name={place.name} href={place.path}>
      <Sinks sequin={current()} />
    </Card>
  );
  return { place, paths, routes: deliveryRoutes(current), card };
}

export const absentDeliveryPages = (): Pages =>
  absentPages({
    place,
    paths,
    instead: "look at the deliveries in the Sequin that watches your database.",
  });

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
