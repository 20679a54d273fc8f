import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { cleanUpsForTests } from "@/tests/helpers/deletions/clean-ups.ts";
import { leasedDeletion } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { startSystem, verifiedBy } from "@/tests/helpers/deletions/system-server.ts";
import type { ExternalSystem } from "../declare/external-system.ts";
import { defineDeletion } from "../define.ts";
import { afterError } from "./errors.ts";
import { httpSystem } from "./http-system.ts";
import { webhook } from "./webhook.ts";

const cleanUps = cleanUpsForTests();
const own = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;

let server: Awaited<ReturnType<typeof startSystem>>;
beforeAll(async () => {
  server = await startSystem();
});
afterAll(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.behave(() => ({ status: 204 }));
});

const email = "ann@example.com";

/** One attempt of a declared system about a new deletion, or about `id`. */
async function attempt(system: ExternalSystem, id?: string) {
  const db = cleanUps.database.db;
  const deletionId = id ?? (await leasedDeletion(db, { systems: [system.name], email }));
  const declarations = [{ ...users, systems: [system] }];
  const error = await cleanUps.cleanUp(deletionId, system.name, { declarations }).then(
    ({ status }) => status,
    (reason) => reason,
  );
  const { systems, row_id: rowId } = await cleanUps.database.deletion(deletionId);
  return { deletionId, rowId, error, message: error.message ?? error, progress: systems[system.name] };
}

const answering = (found: boolean) => (request: { body: string }) =>
  request.body.includes("deletion_verify")
    ? { status: 200, body: JSON.stringify({ found }) }
    : { status: 202 };

describe("a declared webhook", () => {
  const crm = (options: object = {}) => webhook({ name: "crm", url: `${server.url}/hook`, ...options });

  it("has its own secret, and gets neither the address nor a second event if it asks for neither", async () => {
    const { message, rowId } = await attempt(crm({ secret: own }));
    expect(message).toBe("clean");
    const verified = server.requests.map((request) => verifiedBy(own, request));
    expect(verified).toEqual([
      {
        type: "user.deleted",
        timestamp: expect.any(String),
        data: { user_id: rowId },
      },
    ]);
  });

  it.each([undefined, "", "secret"])(
    "whose own secret is %j is not signed with the one of others",
    async (secret) => {
      expect((await attempt(crm({ secret }))).message).toContain("its secret must be whsec_");
      expect(server.requests).toEqual([]);
    },
  );

  it("gets the e-mail address if it asks for it", async () => {
    const { rowId } = await attempt(crm({ email: true }));
    expect(JSON.parse(server.requests[0]?.body ?? "").data).toEqual({ user_id: rowId, user_email: email });
  });

  it.each([404, 410])(
    "that declares what %i means is clean with it, and with no other status",
    async (status) => {
      server.behave(() => ({ status }));
      expect((await attempt(crm({ notFound: [status] }))).message).toBe("clean");
      expect((await attempt(crm({ notFound: [451] }))).message).toMatch(
        new RegExp(`^answered ${status}: nothing`),
      );
    },
  );

  it("is clean when it says so and no longer has the row, and the ledger has both times", async () => {
    server.behave(answering(false));
    const { message, progress, rowId } = await attempt(crm({ verify: true }));
    expect(message).toBe("clean");
    expect(server.types()).toEqual(["user.deleted", "user.deletion_verify"]);
    expect(JSON.parse(server.requests[1]?.body ?? "").data).toEqual({ user_id: rowId });
    expect(progress).toEqual({ done_at: expect.any(String), verified_at: expect.any(String) });
  });

  it("that says it is clean and still has the row is caught, named, and cleaned again", async () => {
    server.behave(answering(true));
    const { deletionId, error, progress } = await attempt(crm({ verify: true }));
    expect(error.message).toBe("says that it is clean, and still has the row");
    expect(afterError({ error })).toEqual({ retryAt: expect.any(Date) });
    expect(progress).toEqual({ failed_at: expect.any(String), error: error.message, times_found: 1 });
    server.behave(() => ({ status: 500 }));
    expect((await attempt(crm({ verify: true }), deletionId)).progress).toMatchObject({ times_found: 1 });
    server.behave(answering(false));
    expect((await attempt(crm({ verify: true }), deletionId)).message).toBe("clean");
    const [deleted, verify] = ["user.deleted", "user.deletion_verify"];
    expect(server.types()).toEqual([deleted, verify, deleted, deleted, verify]);
    // A receiver skips an event that it has seen. The clean-up is another event, with the same id in each of its
    // attempts.
    const [first, , second, third] = server.requests.map(({ headers }) => headers["webhook-id"]);
    expect(second).not.toBe(first);
    expect(third).toBe(second);
    expect(new Set(server.requests.map(({ headers }) => headers["webhook-id"])).size).toBe(4);
  });

  it.each(["", "yes", '{"found":"no"}'])("that answers the question with %j is not clean", async (body) => {
    server.behave((request) => ({ status: 200, body: request.body.includes("verify") ? body : "" }));
    expect((await attempt(crm({ verify: true }))).message).toMatch(/^did not answer { "found": true }/);
  });
});

describe("a busy system", () => {
  const system = () => webhook({ name: "crm", url: server.url });
  const seconds = (at: Date) => Math.round((at.getTime() - Date.now()) / 1_000);

  it.each([
    [429, "30", 30],
    [503, "120", 120],
    [429, "86400", 3_600],
    // shopify.dev/docs/api/admin-rest/usage/rate-limits
    [429, "20.0", 20],
  ])("that answers %i with retry-after %s gets the next request in %i s", async (status, after, wait) => {
    server.behave(() => ({ status, headers: { "retry-after": after } }));
    const { error, message } = await attempt(system());
    expect(message).toBe(`answered ${status}`);
    const verdict = afterError({ error });
    expect(verdict && "retryAt" in verdict && seconds(verdict.retryAt)).toBe(wait);
  });

  it("may name the time as a date", async () => {
    const at = new Date(Date.now() + 600_000).toUTCString();
    server.behave(() => ({ status: 503, headers: { "retry-after": at } }));
    const verdict = afterError({ error: (await attempt(system())).error });
    expect(verdict && "retryAt" in verdict && Math.abs(seconds(verdict.retryAt) - 600)).toBeLessThan(5);
  });

  it.each([
    [429, "soon"],
    [429, "0"],
    [500, "30"],
  ])("that answers %i with retry-after %j is retried like any other", async (status, after) => {
    server.behave(() => ({ status, headers: { "retry-after": after } }));
    expect(afterError({ error: (await attempt(system())).error })).toBeUndefined();
  });
});

describe("a declared HTTP system", () => {
  const analytics = (options: object = {}) =>
    httpSystem({
      name: "analytics",
      request: ({ id, email: address }) => ({
        method: "DELETE",
        url: `${server.url}/users/${id}?email=${address ?? ""}`,
        headers: { authorization: "Bearer key" },
      }),
      ...options,
    });

  it("gets the request of its declaration, without the address that it does not ask for", async () => {
    const { message, rowId } = await attempt(analytics());
    expect(message).toBe("clean");
    expect(server.requests).toMatchObject([
      { method: "DELETE", path: `/users/${rowId}?email=`, headers: { authorization: "Bearer key" } },
    ]);
  });

  it("gets the address where it asks for it", async () => {
    await attempt(analytics({ email: true }));
    expect(server.requests[0]?.path).toMatch(/email=ann@example\.com$/);
  });

  it("gets no request if its declaration has none for the row", async () => {
    expect((await attempt(analytics({ request: () => undefined }))).message).toBe("clean");
    expect(server.requests).toEqual([]);
  });

  it("is verified with a request that finds nothing", async () => {
    const verify = ({ id }: { id: string }) => ({ method: "GET", url: `${server.url}/users/${id}` });
    const system = analytics({ notFound: [404], verify });
    server.behave(({ method }) => ({ status: method === "GET" ? 404 : 202 }));
    expect((await attempt(system)).progress).toEqual({
      done_at: expect.any(String),
      verified_at: expect.any(String),
    });
    server.behave(() => ({ status: 200 }));
    expect((await attempt(system)).message).toBe("says that it is clean, and still has the row");
  });

  it("cannot verify without declaring which status means that the row is not there", () => {
    const verify = () => ({ method: "GET", url: server.url });
    expect(() => analytics({ verify })).toThrow(
      'httpSystem({ name: "analytics" }), notFound: must have the status',
    );
  });
});

describe("the systems of a declaration", () => {
  const declare = (system: object, options: object = {}) =>
    defineDeletion({
      row: "user",
      table: "public.users",
      key: "id",
      systems: [webhook({ name: "crm", url: "https://crm.example.com", ...system })],
      ...options,
    });

  it("cannot ask for an address that no column has", () => {
    expect(() => declare({ email: true })).toThrow(
      "email: must name the column with the address, which crm asks for",
    );
    expect(declare({ email: true }, { email: "email" }).systems).toHaveLength(1);
  });

  it.each(["a month", "30", "1.5 days"])("cannot wait %j", (after) => {
    expect(() => declare({ after })).toThrow('crm: after must be a time such as "30 days"');
  });

  it("cannot wait longer than the deletion may take", () => {
    expect(() => declare({ after: "30 days" })).toThrow(
      "dueDays: must be more than 30 days, which crm waits",
    );
    expect(declare({ after: "30 days" }, { dueDays: 45 }).dueDays).toBe(45);
    expect(() => declare({}, { dueDays: 0 })).toThrow("dueDays: must be a whole number");
  });
});

it("a system with a grace period is not called before, whoever triggers the step", async () => {
  vi.spyOn(console, "info").mockImplementation(() => {});
  const system = webhook({ name: "crm", url: server.url, after: "7 days" });
  expect((await attempt(system)).message).toBe("not-due");
  expect(server.requests).toEqual([]);
});
