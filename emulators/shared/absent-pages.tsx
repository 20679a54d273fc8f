/** @jsxImportSource hono/jsx */
import { Hono } from "hono";
import { Card, Elsewhere } from "./elements/card.tsx";
import { answerNotHere } from "./elements/not-here.tsx";
import type { Pages, RealService } from "./part.ts";

type Absent = { service?: RealService } & (
  | { name: string }
  | { place: NonNullable<Pages["place"]>; paths: readonly string[]; instead: string }
);

/** What the console shows of a part that this stack was started without. `instead` says where to look. */
export function absentPages({ service, ...part }: Absent): Pages {
  const elsewhere = () => <Elsewhere service={service} />;
  const routes = new Hono();
  if ("name" in part) return { paths: [], routes, card: () => <Card name={part.name}>{elsewhere()}</Card> };
  const { place, paths, instead } = part;
  for (const path of paths)
    routes.get(path, (c) => answerNotHere(c, { title: place.name, place: place.path, instead }));
  const card = () => (
    <Card name={place.name} href={place.path}>
      {elsewhere()}
    </Card>
  );
  // Without a service to link to, there is no page: the overview already says so.
  return { place: service && place, paths, routes, card };
}
