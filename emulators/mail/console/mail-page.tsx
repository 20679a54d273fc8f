/** @jsxImportSource hono/jsx */

import { CodeBlock } from "@aftercommit/local-shared/elements/code-block.tsx";
import { Facts } from "@aftercommit/local-shared/elements/facts.tsx";
import { Section } from "@aftercommit/local-shared/elements/section.tsx";
import { Time } from "@aftercommit/local-shared/elements/time.tsx";
import type { Mail } from "../mailbox.ts";
import { mailPath } from "./mail-list.tsx";

export function MailView({ mail }: { mail: Mail }) {
  const headers = mail.headers.map(({ key, value }) => `${key}: ${value}`).join("\n");
  return (
    <>
      <p class="crumb">
        <a href="/mails">Mails</a> / <span class="mono">{mail.id}</span>
      </p>
      <h1>{mail.subject || "(no subject)"}</h1>
      <section class="panel" aria-label="Envelope">
        <Facts
          across
          rows={[
            ["From", mail.from],
            ["To", mail.to.join(", ")],
            ["Received", <Time at={mail.receivedAt} whole />],
            ["Message-ID", mail.messageId && <span class="mono">{mail.messageId}</span>],
          ]}
        />
      </section>
      {mail.html && (
        <Section id="html" title="HTML">
          <iframe title="The message as HTML" src={`${mailPath(mail.id)}/html`} sandbox="" loading="lazy" />
        </Section>
      )}
      {mail.text && (
        <Section id="text" title="Text">
          <p class="mail-text">{mail.text.trimEnd()}</p>
        </Section>
      )}
      <Section id="headers" title="Headers">
        <details>
          <summary>{mail.headers.length} headers</summary>
          <CodeBlock label="Headers" text={headers} />
        </details>
      </Section>
    </>
  );
}
