/** @jsxImportSource hono/jsx */

import { answerPage } from "@aftercommit/local-shared/answer-page.ts";
import { answerMissing } from "@aftercommit/local-shared/elements/not-here.tsx";
import { type Context, Hono } from "hono";
import type { RunConsole } from "../run-console.ts";
import { RunFilter, RunList, toQuery } from "./run-list.tsx";
import { RunView } from "./run-page.tsx";
import { runPath } from "./run-table.tsx";
import { statusText } from "./status.tsx";

const place = "/runs";

export function runRoutes(trigger: RunConsole): Hono {
  const app = new Hono();
  const missing = (c: Context) =>
    answerMissing(c, {
      place,
      what: "There is no such run. The oldest finished runs are forgotten in time.",
    });

  const list = (c: Context) => {
    const filter = RunFilter.parse(c.req.query());
    const { tasks } = trigger.summarizeRuns();
    const body = <RunList page={trigger.listRuns(toQuery(filter))} filter={filter} tasks={tasks} />;
    return answerPage(c, { title: "Runs", place, body });
  };

  const one = async (c: Context) => {
    const details = await trigger.retrieveRun(c.req.param("run") ?? "");
    if (!details) return missing(c);
    const title = `${statusText(details.run.status)}: ${details.run.taskIdentifier}`;
    return answerPage(c, {
      title,
      place,
      body: <RunView details={details} notice={c.req.query("notice")} />,
    });
  };

  app.get("/runs", list);
  app.get("/runs/:run", one);
  app.get("/projects/v3/:ref/runs", list);
  app.get("/projects/v3/:ref/runs/:run", one);
  app.get("/projects/*", (c) => c.redirect("/runs"));

  app.post("/runs/:run/replay", async (c) => {
    const id = await trigger.replayRun(c.req.param("run"));
    return id ? c.redirect(runPath(id), 303) : missing(c);
  });
  app.post("/runs/:run/cancel", async (c) => {
    const run = c.req.param("run");
    return (await trigger.cancelRun(run)) ? c.redirect(`${runPath(run)}?notice=canceled`, 303) : missing(c);
  });
  return app;
}
