import { applyMetadataOperations, type FlushedRunMetadata } from "@trigger.dev/core/v3";
import { z } from "zod";
import type { Run } from "../store/records.ts";
import type { Engine } from "./engine.ts";
import { saveRun } from "./snapshots.ts";

export type FlushedMetadata = z.output<typeof FlushedRunMetadata>;
type Metadata = NonNullable<FlushedMetadata["metadata"]>;

const Stored = z.record(z.string(), z.json());

/** Replaces or changes a run's metadata, and that of its parent and root. Returns the run's new metadata. */
export function updateMetadata(engine: Engine, run: Run, body: FlushedMetadata): Metadata {
  if (body.metadata) write(engine, run, body.metadata);
  apply(engine, run, body.operations);
  const { runs } = engine.tables;
  apply(engine, runs.get(run.parentId ?? run.id), body.parentOperations);
  apply(engine, runs.get(run.rootId ?? run.id), body.rootOperations);
  return read(run);
}

function apply(engine: Engine, run: Run | undefined, operations: FlushedMetadata["operations"]): void {
  if (!run || !operations?.length) return;
  write(engine, run, applyMetadataOperations(read(run), operations).newMetadata);
}

function write(engine: Engine, run: Run, metadata: Record<string, unknown>): void {
  run.metadata = JSON.stringify(metadata);
  saveRun(engine, run);
}

function read(run: Run): Metadata {
  return run.metadata === undefined ? {} : Stored.parse(JSON.parse(run.metadata));
}
