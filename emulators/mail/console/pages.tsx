/** @jsxImportSource hono/jsx */
import { absentPages } from "@aftercommit/local-shared/absent-pages.tsx";
import { Card, Figure } from "@aftercommit/local-shared/elements/card.tsx";
import { Last } from "@aftercommit/local-shared/elements/last.tsx";
import type { Pages, RealService } from "@aftercommit/local-shared/part.ts";
import type { Mail, Mailbox } from "../mailbox.ts";
import { mailRoutes } from "./routes.tsx";

const place = { path: "/mails", name: "Mails" };
const paths = ["/mails/*"];

/** The e-mails that were received. */
export function mailPages(mailbox: Pick<Mailbox, "list" | "find">): Pages {
  return { place, paths, routes: mailRoutes(mailbox), card: () => <Mails mails={mailbox.list()} /> };
}

export const absentMailPages = (service?: RealService): Pages =>
  absentPages({
    place,
    paths,
    instead: "SMTP_URL points elsewhere.",
    service,
  });

function Mails({ mails }: { mails: Mail[] }) {
  const [last] = mails;
  return (
    <Card name={place.name} href={place.path}>
      <Figure value={mails.length} unit="kept" />
      <Last at={last?.receivedAt} />
    </Card>
  );
}
