import type { TriggerTaskRequestBody } from "@trigger.dev/core/v3";
import { sanitizeQueueName, stringifyDuration } from "@trigger.dev/core/v3/isomorphic";
import { z } from "zod";
import { ApiError, refused } from "../errors.ts";
import { parse } from "../parse.ts";
import type { Run, Worker } from "../store/records.ts";
import type { Engine } from "./engine.ts";
import { currentWorker, defaultQueue, findTask, queueNameOf } from "./workers.ts";

const MAX_TAGS = 10;
const MAX_METADATA_BYTES = 256 * 1024;
const DEV_TTL = "10m";

export type TriggerBody = z.output<typeof TriggerTaskRequestBody>;
export type Options = NonNullable<TriggerBody["options"]>;

export function parseTags(tags: Options["tags"]): string[] {
  if (Array.isArray(tags) && tags.length > MAX_TAGS)
    throw refused(`Runs can only have ${MAX_TAGS} tags, you're trying to set ${tags.length}.`);
  return [tags ?? []].flat().filter((tag) => tag.trim().length > 0);
}

export function lockedWorker(engine: Engine, version: string | undefined): Worker | undefined {
  if (!version) return undefined;
  for (const worker of engine.tables.workers.values()) if (worker.version === version) return worker;
  throw refused(`Task locked to version '${version}', but no worker found with that version.`);
}

export function chooseQueue(
  engine: Engine,
  taskId: string,
  options: Options,
  lockedTo: Worker | undefined,
): string {
  const named = options.queue && sanitizeQueueName(options.queue.name);
  const task = findTask(lockedTo ?? currentWorker(engine), taskId);
  if (lockedTo && named && !lockedTo.queues.includes(named))
    throw refused(
      `Specified queue '${named}' not found or not associated with locked version '${lockedTo.version}'.`,
    );
  if (lockedTo && !task) throw refused(`Task '${taskId}' not found on locked version '${lockedTo.version}'.`);
  return named || (task ? queueNameOf(task) : defaultQueue(taskId));
}

export function chooseTtl(
  engine: Engine,
  taskId: string,
  options: Options,
  lockedTo: Worker | undefined,
): string | undefined {
  const ttl = options.ttl ?? findTask(lockedTo ?? currentWorker(engine), taskId)?.ttl ?? DEV_TTL;
  return typeof ttl === "number" ? stringifyDuration(ttl) : ttl;
}

const Metadata = z.record(z.string(), z.json());

/** @throws ApiError 400 for metadata that is not an object, 413 for more than 256 KB */
export function parseMetadata(options: Options): Pick<Run, "metadata" | "seedMetadata"> {
  if (!options.metadata) return {};
  const metadata = JSON.stringify(parse(Metadata, readMetadata(options)));
  if (Buffer.byteLength(metadata) > MAX_METADATA_BYTES)
    throw new ApiError(413, `Metadata exceeds maximum size of ${MAX_METADATA_BYTES} bytes`);
  return { metadata, seedMetadata: metadata };
}

function readMetadata({ metadata, metadataType }: Options): unknown {
  if (typeof metadata !== "string") return metadata;
  try {
    const value: unknown = JSON.parse(metadata);
    return metadataType === "application/super+json" ? Object(value).json : value;
  } catch {
    throw new ApiError(400, "Invalid metadata");
  }
}

/** A payload of a type other than JSON is a text that the SDK has already serialized. */
export function serializePayload({ payload, options }: TriggerBody): Pick<Run, "payload" | "payloadType"> {
  const payloadType = options?.payloadType ?? "application/json";
  if (payloadType === "application/json") return { payload: JSON.stringify(payload), payloadType };
  return { payload: typeof payload === "string" ? payload : undefined, payloadType };
}
