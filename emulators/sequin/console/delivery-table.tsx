/** @jsxImportSource hono/jsx */

import { Action } from "@aftercommit/local-shared/elements/action.tsx";
import { HttpStatus } from "@aftercommit/local-shared/elements/badge.tsx";
import { Table } from "@aftercommit/local-shared/elements/table.tsx";
import { Time } from "@aftercommit/local-shared/elements/time.tsx";
import type { Delivery } from "../deliveries.ts";
import { deliveryPath } from "./path.ts";
import { DeliveryState, NextTry, subjectOf } from "./state.tsx";

export function DeliveryTable({ deliveries, caption }: { deliveries: Delivery[]; caption: string }) {
  return (
    <Table
      caption={caption}
      columns={[
        ["Message"],
        ["State"],
        ["Tries", "roomy number"],
        ["Last answer", "roomy"],
        ["Next try", "roomy"],
        ["Captured", "number"],
        [<span class="visually-hidden">Actions</span>, "roomy"],
      ]}
    >
      {deliveries.map((delivery) => (
        <tr data-key={`delivery-${delivery.id}`}>
          <td>
            <a class="strong" href={deliveryPath(delivery.id)}>
              {subjectOf(delivery)}
            </a>
            <span class="id">
              {delivery.id} · {delivery.sink}
            </span>
          </td>
          <td>
            <DeliveryState delivery={delivery} />
          </td>
          <td class="roomy number">{delivery.deliverCount}</td>
          <td class="roomy">
            {delivery.answer === null ? "–" : <HttpStatus status={delivery.httpStatus} />}
          </td>
          <td class="roomy">
            <NextTry delivery={delivery} />
          </td>
          <td class="number">
            <Time at={delivery.capturedAt} />
          </td>
          <td class="roomy number">
            <Action to={`${deliveryPath(delivery.id)}/redeliver`} what={`message ${delivery.id}`} quiet>
              Redeliver
            </Action>
          </td>
        </tr>
      ))}
    </Table>
  );
}
