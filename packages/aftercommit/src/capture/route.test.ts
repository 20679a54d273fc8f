import { expect, it } from "vitest";
import { defineDeletion } from "../define.ts";
import { serve } from "../serve.ts";

const ofUsers = serve(defineDeletion({ row: "user", table: "users", key: "id", from: "capture" }));

it("the route of a table from capture answers 404, whatever is sent", async () => {
  const request = new Request("http://localhost:3000/", { method: "POST", body: "{}" });
  const response = await ofUsers(request);
  expect([response.status, await response.json()]).toEqual([
    404,
    { error: "No route takes changes of user" },
  ]);
});
