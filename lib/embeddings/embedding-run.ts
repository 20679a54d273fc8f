import { randomUUID } from "node:crypto";
import { z } from "zod";
import { InvalidMessageError } from "../errors.ts";
import { changeKey } from "../sequin/change-key.ts";
import type { SequinMessage } from "../sequin/message.ts";
import { primaryKey } from "../sequin/primary-key.ts";

const timestamp = z.iso.datetime({ offset: true }).max(40);

/**
 * What a run of create-embedding-for-post is about: ids only, since tasks read the row itself. `changedAt` is when the
 * change was committed, null where nobody knows.
 */
export const postChangeSchema = z.object({
  postId: z.string().regex(/^-?\d{1,19}$/),
  changedAt: timestamp.nullable(),
});

export type PostChange = z.infer<typeof postChangeSchema>;

const MAX_BIGINT = 2n ** 63n - 1n;

/**
 * The key of the post that a message is about.
 * @throws {InvalidMessageError} when the message has no bigint key
 */
export function postIdOf(message: SequinMessage): bigint {
  const { at, text } = primaryKey(message);
  if (!/^-?\d{1,19}$/.test(text)) throw new InvalidMessageError(at, "must be a bigint");
  const id = BigInt(text);
  if (id > MAX_BIGINT || id < -MAX_BIGINT - 1n) throw new InvalidMessageError(at, "is out of bigint's range");
  return id;
}

function isAboutPosts({ metadata }: SequinMessage): boolean {
  const { table_schema = "public", table_name = "posts" } = metadata;
  return table_schema === "public" && table_name === "posts";
}

/**
 * What a message of the posts sink asks for. A deleted post needs no run: its embeddings went with it, by foreign key.
 * @throws {InvalidMessageError} when the message is about a post and does not say which
 */
export function embeddingRun(message: SequinMessage) {
  if (!isAboutPosts(message) || message.action === "delete") return undefined;
  const postId = String(postIdOf(message));
  const changedAt = timestamp.safeParse(message.metadata.commit_timestamp).data ?? null;
  return {
    task: "create-embedding-for-post" as const,
    payload: { postId, changedAt },
    tags: [`post:${postId}`],
    idempotencyKey: changeKey(message) ?? randomUUID(),
  };
}
