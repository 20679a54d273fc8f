/** @jsxImportSource hono/jsx */

import { Empty } from "@aftercommit/local-shared/elements/section.tsx";
import { Table } from "@aftercommit/local-shared/elements/table.tsx";
import { Time } from "@aftercommit/local-shared/elements/time.tsx";
import type { Mail } from "../mailbox.ts";

export function mailPath(id: string): string {
  return `/mails/${encodeURIComponent(id)}`;
}

export function MailList({ mails }: { mails: Mail[] }) {
  return (
    <>
      <h1>Mails</h1>
      <p class="lead">What the app sent to SMTP_URL. Nothing leaves this machine; the last 100 are kept.</p>
      <section class="panel" aria-label="Mails">
        {mails.length > 0 ? <MailTable mails={mails} /> : <Empty>No mail yet.</Empty>}
      </section>
    </>
  );
}

function MailTable({ mails }: { mails: Mail[] }) {
  return (
    <Table caption="Mails, newest first" columns={[["Subject"], ["To", "roomy"], ["Received", "number"]]}>
      {mails.map((mail) => (
        <tr data-key={mail.id}>
          <td>
            <a class="strong" href={mailPath(mail.id)}>
              {mail.subject || "(no subject)"}
            </a>
            <span class="id narrow">{mail.to.join(", ")}</span>
          </td>
          <td class="roomy">{mail.to.join(", ")}</td>
          <td class="number">
            <Time at={mail.receivedAt} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
