import type { DevStack } from "../helpers/stack/dev-stack.ts";
import type { Known } from "./known.ts";
import type { Call, Mail } from "./mails.ts";

/** Queries the database. */
type Asks = Pick<DevStack, "query">;

export const ACTIVE_MODEL = "(select id from aftercommit.models where state = 'active')";

// The hash that the product stores with a text's vectors. Repeated here, so that the product does not judge itself.
const HASH = String.raw`md5('1000:' || p.title || E'\n\n' || p.body)::uuid`;
const HAS_TEXT = String.raw`(p.title || p.body) ~ '\S'`;

const DISTANCE = `select
  (select count(*)::int from posts p where ${HAS_TEXT} and not exists (
    select from post_embeddings e where e.post_id = p.id and e.model_id = ${ACTIVE_MODEL} and e.embedding is not null)) as lost,
  (select count(distinct p.id)::int from posts p join post_embeddings e on e.post_id = p.id and e.model_id = ${ACTIVE_MODEL}
    where e.text_hash is distinct from ${HASH}) as stale,
  (select count(*)::int from post_embeddings e where e.embedding is not null and not exists (
    select from posts p where p.id = e.post_id and ${HAS_TEXT})) as orphaned,
  (select count(*)::int from aftercommit.pending where error is null) as pending,
  (select count(*)::int from aftercommit.pending where error is not null) as failed,
  (select count(*)::int from aftercommit.deletions where completed_at is null) as open`;

/** Rows that are not as they should be. `pending` are left in the inbox, `open` are incomplete deletions. */
export type Distance = {
  lost: number;
  stale: number;
  orphaned: number;
  pending: number;
  failed: number;
  open: number;
};

/**
 * How far the database is from the expected state, judged only by its rows. Undefined while the database does not
 * answer.
 */
export async function distance(stack: Asks): Promise<Distance | undefined> {
  const [row] = await stack.query<Distance>(DISTANCE).catch(() => []);
  return row;
}

/** Deleted users that are not in the ledger yet. */
export async function undiscovered(stack: Asks, known: Known): Promise<number | undefined> {
  const [row] = await stack
    .query<{ n: number }>(
      `select count(*)::int as n from unnest($1::uuid[]) as tried (id)
       where not exists (select from users u where u.id = tried.id)
       and not exists (select from aftercommit.deletions d where d.source = 'user' and d.row_id = tried.id::text)`,
      [[...known.tried]],
    )
    .catch(() => []);
  return row?.n;
}

type Deletion = {
  row_id: string;
  outcome: string | null;
  email: string | null;
  systems: Record<string, { done_at?: string }>;
};

/** How many models have a learned input limit: a fault was mistaken for an input that is too long. */
export async function shortenedModels(stack: Asks): Promise<number> {
  const [row] = await stack.query<{ n: number }>(
    "select count(*)::int as n from aftercommit.models where max_input_tokens is not null",
  );
  return row?.n ?? 0;
}

type Tried = { known: Known; releasedAt: ReadonlyMap<string, number> };
type Received = { mails: readonly Mail[]; calls: readonly Call[] };

/** What happened to the users, with the e-mails and calls that arrived. */
export async function judgeDeletions(stack: Asks, { known, releasedAt }: Tried, { mails, calls }: Received) {
  const there = new Set((await stack.query<{ id: string }>("select id from users")).map(({ id }) => id));
  const ledger = await stack.query<Deletion>(
    "select row_id, outcome, email, systems from aftercommit.deletions where source = 'user'",
  );
  const found = {
    deleted: 0,
    held: releasedAt.size,
    notHeld: 0,
    lost: 0,
    unasked: 0,
    mistaken: 0,
    noMail: 0,
    early: 0,
    twice: 0,
    copies: 0,
    kept: 0,
    unclean: 0,
  };
  for (const { id, email } of known.made) {
    const received = mails.filter(({ to }) => to.includes(email));
    const notified = calls.filter(({ userId }) => userId === id);
    const own = ledger.filter(({ row_id }) => row_id === id);
    const sentAt = [...received.map(({ receivedAt }) => receivedAt), ...notified.map(({ at }) => at)];
    if (sentAt.some((at) => at.getTime() < (releasedAt.get(id) ?? 0))) found.notHeld += 1;
    if (!known.tried.has(id) || there.has(id)) {
      found.unasked += own.filter(({ outcome }) => outcome !== "row_is_back").length;
      found.mistaken += received.length + notified.length;
      continue;
    }
    const [deletion, ...more] = own;
    found.unasked += more.length;
    found.deleted += 1;
    if (deletion?.outcome !== "completed") found.lost += 1;
    else if (received.length === 0) found.noMail += 1;
    if (deletion?.outcome && deletion.email !== null) found.kept += 1;
    const cleanAt = Object.values(deletion?.systems ?? {}).map(({ done_at }) => Date.parse(done_at ?? ""));
    if (received.some(({ receivedAt }) => cleanAt.some((at) => !(at <= receivedAt.getTime()))))
      found.early += 1;
    const isClean = (system: string) =>
      notified.some((call) => call.system === system && call.status < 300 && !call.lied);
    if (!Object.keys(deletion?.systems ?? {}).every(isClean)) found.unclean += 1;
    const messages = new Set(received.map(({ messageId }) => messageId)).size;
    if (messages > 1) found.twice += 1;
    found.copies += received.length - messages;
  }
  return found;
}
