import {
  CreateEnvironmentVariableRequestBody,
  EnvironmentVariableResponseBody,
  EnvironmentVariableWithSecret,
  ImportEnvironmentVariablesRequestBody,
  UpdateEnvironmentVariableRequestBody,
} from "@trigger.dev/core/v3";
import { Hono } from "hono";
import { z } from "zod";
import { answer, readBody } from "../answer.ts";
import { ApiError } from "../errors.ts";
import type { Server } from "../server.ts";

const LIST = "/api/v1/projects/:ref/envvars/:env";

/** The variables that tasks get in addition to the developer's own environment. */
export function environmentVariableRoutes({ engine }: Server): Hono {
  const { envVars } = engine.tables;
  const app = new Hono();

  app.get(LIST, (c) =>
    answer(
      c,
      z.array(EnvironmentVariableWithSecret),
      [...envVars.values()].map(({ id, value }) => ({ name: id, value, isSecret: false })),
    ),
  );

  app.post(LIST, async (c) => {
    const { name, value } = await readBody(c, CreateEnvironmentVariableRequestBody);
    envVars.save({ id: name, value });
    return answer(c, EnvironmentVariableResponseBody, { success: true });
  });

  app.post(`${LIST}/import`, async (c) => {
    const { variables, override = false } = await readBody(c, ImportEnvironmentVariablesRequestBody);
    for (const [name, value] of Object.entries(variables))
      if (override || !envVars.get(name)) envVars.save({ id: name, value });
    return answer(c, EnvironmentVariableResponseBody, { success: true });
  });

  app.get(`${LIST}/:name`, (c) => {
    const variable = envVars.get(c.req.param("name"));
    if (!variable) throw new ApiError(404, "Environment variable not found");
    return answer(c, EnvironmentVariableWithSecret, {
      name: variable.id,
      value: variable.value,
      isSecret: false,
    });
  });

  app.put(`${LIST}/:name`, async (c) => {
    const { value } = await readBody(c, UpdateEnvironmentVariableRequestBody);
    envVars.save({ id: c.req.param("name"), value });
    return answer(c, EnvironmentVariableResponseBody, { success: true });
  });

  app.delete(`${LIST}/:name`, (c) => {
    envVars.remove(c.req.param("name"));
    return answer(c, EnvironmentVariableResponseBody, { success: true });
  });

  return app;
}
