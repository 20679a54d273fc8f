/** @jsxImportSource hono/jsx */
import { type Context, Hono } from "hono";
import type { RunConsole } from "../../trigger/run-console.ts";
import { answerMissing, answerNotHere } from "../elements/not-here.tsx";
import { answerPage } from "../page.tsx";
import { RunFilter, RunList, toQuery } from "./run-list.tsx";
import { RunView } from "./run-page.tsx";
import { runPath } from "./run-table.tsx";
import { statusText } from "./status.tsx";

const place = "/runs";

/** The runs, at short addresses and at those of Trigger.dev's dashboard, which CLI, SDK and apps link to. */
export function runRoutes(trigger: RunConsole | undefined): Hono {
  const app = new Hono();
  if (!trigger) {
    const notHere = (c: Context) =>
      answerNotHere(c, {
        title: "Runs",
        place,
        instead: "look at the runs where TRIGGER_API_URL points to.",
      });
    for (const path of ["/runs/*", "/projects/*"]) app.get(path, notHere);
    return app;
  }
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
