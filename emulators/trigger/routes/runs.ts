import {
  AddTagsRequestBody,
  CanceledRunResponse,
  ListRunResponse,
  ReplayRunRequestBody,
  ReplayRunResponse,
  RescheduleRunRequestBody,
  RetrieveRunResponse,
  UpdateMetadataRequestBody,
  UpdateMetadataResponseBody,
} from "@trigger.dev/core/v3";
import { RunId } from "@trigger.dev/core/v3/isomorphic";
import { Hono } from "hono";
import { answer, readBody, readOptionalBody } from "../answer.ts";
import { cancelRun } from "../engine/cancel-run.ts";
import { delayUntil } from "../engine/delay-until.ts";
import { delay, endDelay } from "../engine/enqueue.ts";
import { updateMetadata } from "../engine/metadata.ts";
import { replayRun } from "../engine/replay.ts";
import { addTags } from "../engine/tags.ts";
import { ApiError, refused } from "../errors.ts";
import { findRun } from "../find-run.ts";
import { parse } from "../parse.ts";
import { ListRunsQuery, listRuns } from "../present/list-runs.ts";
import { retrievedRun } from "../present/run.ts";
import type { Server } from "../server.ts";
import { packetUrl } from "./packets.ts";

/** Reading runs and changing them. */
export function runRoutes(server: Server): Hono {
  const { engine } = server;
  const signUrl = (path: string) => packetUrl(server, path);
  const app = new Hono();

  app.get("/api/v1/runs", (c) =>
    answer(c, ListRunResponse, listRuns(engine, parse(ListRunsQuery, c.req.query()))),
  );

  app.get("/api/v3/runs/:run", async (c) => {
    const run = engine.tables.runs.get(RunId.toId(c.req.param("run")));
    // On the real server, a new run may not be readable immediately, so its clients try again.
    if (!run) throw new ApiError(404, "Not found", { "x-should-retry": "true" });
    return answer(c, RetrieveRunResponse, await retrievedRun(engine, run, signUrl));
  });

  for (const version of ["v1", "v2"])
    app.post(`/api/${version}/runs/:run/cancel`, (c) => {
      const run = findRun(engine, c);
      cancelRun(engine, run);
      return answer(c, CanceledRunResponse, { id: `run_${run.id}` });
    });

  app.post("/api/v1/runs/:run/replay", async (c) => {
    const changes = await readOptionalBody(c, ReplayRunRequestBody);
    const id = replayRun(engine, findRun(engine, c), changes);
    return answer(c, ReplayRunResponse, { id: `run_${id}` });
  });

  app.post("/api/v1/runs/:run/tags", async (c) => {
    const { tags } = await readBody(c, AddTagsRequestBody);
    return c.json({ message: addTags(engine, findRun(engine, c), [tags].flat()) });
  });

  app.post("/api/v1/runs/:run/reschedule", async (c) => {
    const body = await readBody(c, RescheduleRunRequestBody);
    const run = findRun(engine, c);
    if (run.status !== "DELAYED") throw refused("Cannot reschedule a run that is not delayed");
    const until = delayUntil(body.delay, engine.clock.now());
    if (until === undefined) endDelay(engine, run);
    else delay(engine, run, until);
    return answer(c, RetrieveRunResponse, await retrievedRun(engine, run, signUrl));
  });

  app.get("/api/v1/runs/:run/metadata", (c) => {
    const { metadata } = findRun(engine, c);
    return c.json({ metadata, metadataType: "application/json" });
  });

  app.put("/api/v1/runs/:run/metadata", async (c) => {
    const body = await readBody(c, UpdateMetadataRequestBody);
    const metadata = updateMetadata(engine, findRun(engine, c), body);
    return answer(c, UpdateMetadataResponseBody, { metadata });
  });

  return app;
}
