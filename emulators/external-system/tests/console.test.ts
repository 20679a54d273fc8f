import { openPages, textOf } from "@aftercommit/local-console/tests/open-pages.ts";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callPages } from "../console.tsx";
import { startExternalSystem } from "../start.ts";

const secret = `whsec_${Buffer.from("a secret of the tests").toString("base64")}`;

let stack: Awaited<ReturnType<typeof openPages>>;
beforeAll(async () => {
  const external = await startExternalSystem({ secret, log: () => {} });
  stack = await openPages([callPages(external.calls)], external.app);
});
afterAll(() => stack.close());

describe("the page of deletion calls", () => {
  test("lists the signed calls and how they were answered", async () => {
    const userId = "6f2c2a51-93a5-4f0a-8a52-3a9d4b3e6c11";
    const body = JSON.stringify({
      type: "user.deleted",
      timestamp: new Date().toISOString(),
      data: { user_id: userId },
    });
    const at = new Date();
    const headers = {
      "webhook-id": "msg_1",
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": new Webhook(secret).sign("msg_1", at, body),
    };
    await fetch(`${stack.url}/local/external-system/crm/user-deleted`, { method: "POST", headers, body });
    expect(textOf((await stack.get("/external-system")).html)).toMatch(
      new RegExp(`${userId} crm .*204 msg_1`),
    );
  });
});
