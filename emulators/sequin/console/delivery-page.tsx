/** @jsxImportSource hono/jsx */

import { Action } from "@aftercommit/local-shared/elements/action.tsx";
import { HttpStatus } from "@aftercommit/local-shared/elements/badge.tsx";
import { CodeBlock } from "@aftercommit/local-shared/elements/code-block.tsx";
import { Facts } from "@aftercommit/local-shared/elements/facts.tsx";
import { Notice } from "@aftercommit/local-shared/elements/notice.tsx";
import { Empty, Section } from "@aftercommit/local-shared/elements/section.tsx";
import { Time } from "@aftercommit/local-shared/elements/time.tsx";
import { formatDuration } from "@aftercommit/local-shared/format/duration.ts";
import { indentJson } from "@aftercommit/local-shared/format/indent-json.ts";
import type { Delivery } from "../deliveries.ts";
import { NOTICES } from "./notices.ts";
import { deliveryPath } from "./path.ts";
import { DeliveryState, NextTry, subjectOf } from "./state.tsx";

type Props = { delivery: Delivery; message: string | null; notice: string | undefined };

export function DeliveryView({ delivery, message, notice }: Props) {
  return (
    <>
      <div class="title">
        <div>
          <p class="crumb">
            <a href="/deliveries">Deliveries</a> / <span class="mono">{delivery.id}</span>
          </p>
          <h1>{subjectOf(delivery)}</h1>
          <p class="summary">
            <span role="status">
              <DeliveryState delivery={delivery} />
            </span>
            <span>
              captured <Time at={delivery.capturedAt} />
            </span>
          </p>
        </div>
        <div class="actions">
          <Action to={`${deliveryPath(delivery.id)}/redeliver`} what="this message">
            Redeliver
          </Action>
        </div>
      </div>
      <Notice name={notice} texts={NOTICES} />
      <div class="columns">
        <div>
          <Section id="answer" title="Last answer">
            {delivery.answer === null ? (
              <Empty>Not sent yet.</Empty>
            ) : (
              <>
                <p class="summary">
                  <HttpStatus status={delivery.httpStatus} />
                  <span class="muted">after {formatDuration(delivery.tookMs ?? 0)}</span>
                </p>
                {delivery.answer && <CodeBlock label="Body of the last answer" text={delivery.answer} />}
              </>
            )}
          </Section>
          <Section id="message" title="Message">
            {message === null ? (
              <Empty>The message is no longer kept.</Empty>
            ) : (
              <CodeBlock label="Message" text={indentJson(message)} />
            )}
          </Section>
        </div>
        <aside class="panel" aria-label="Details" data-key="facts">
          <Facts
            rows={[
              ["Sink", delivery.sink],
              ["Table", delivery.table],
              ["Action", delivery.action],
              ["Deliver count", String(delivery.deliverCount)],
              ["Next try", delivery.status === "pending" && <NextTry delivery={delivery} />],
              ["Captured", <Time at={delivery.capturedAt} whole />],
              ["Last change", <Time at={delivery.updatedAt} whole />],
            ]}
          />
        </aside>
      </div>
    </>
  );
}
