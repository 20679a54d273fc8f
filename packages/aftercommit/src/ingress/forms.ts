import type { Unread } from "../changes/row-change.ts";
import { readBody as debeziumBody } from "../debezium/read-body.ts";
import type { From } from "../declare/declaration.ts";
import { messagesOf } from "../sequin/messages-of.ts";
import { rowChangeOf } from "../sequin/row-change.ts";
import { rowChangeOf as supabaseChange } from "../supabase/row-change.ts";
import { authenticate } from "./authenticate.ts";
import { verifySignature } from "./verify-signature.ts";

/** How a source calls a route. */
type Form = {
  /** Throws RefusedRequestError, before the body is read. */
  authenticate(request: Request): void;
  /** Throws RefusedRequestError if the body is not from the source. */
  verify?(request: Request, text: string): void;
  /** The elements of a body. Throws RefusedRequestError if there are too many. */
  readBody(body: unknown, headers: Headers): { batch: boolean; delivery: Unread[] };
  /** Whether long texts are not needed whole: neither signed nor compared. */
  shortened: boolean;
  /** Whether a request of only invalid messages is refused, so that the source keeps it. */
  refusable: boolean;
};

/** By the source that calls the route. Capture calls none. */
export const FORMS: Readonly<Record<Exclude<From, "capture">, Form>> = {
  sequin: {
    authenticate: (request) =>
      authenticate(request, "SEQUIN_WEBHOOK_SECRET", "SEQUIN_WEBHOOK_SECRET_PREVIOUS"),
    readBody(body) {
      const { batch, messages } = messagesOf(body);
      return { batch, delivery: messages.map(({ at, value }) => ({ at, read: () => rowChangeOf(value) })) };
    },
    shortened: true,
    refusable: true,
  },
  debezium: {
    authenticate: () => {},
    verify: (request, text) => verifySignature(request.headers, text, "DEBEZIUM_WEBHOOK_SECRET"),
    readBody: debeziumBody,
    shortened: false,
    // Debezium Server ends after five refusals, and with it every other change.
    refusable: false,
  },
  supabase: {
    authenticate: (request) => authenticate(request, "SUPABASE_WEBHOOK_SECRET"),
    readBody: (body) => ({ batch: false, delivery: [{ at: "", read: () => supabaseChange(body) }] }),
    shortened: false,
    refusable: true,
  },
};
