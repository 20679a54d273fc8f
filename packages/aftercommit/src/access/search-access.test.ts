import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GET } from "@/app/api/search/route.ts";
import { GET as GET_SIMILAR } from "@/app/api/similar/route.ts";
import { searchForTests } from "@/tests/helpers/searchable-posts.ts";
import { parseSearchKeys } from "../env/search-keys.ts";

const { insertEmbedded } = searchForTests();
const [OLD, NEW, BOUND] = ["a", "b", "c"].map((letter) => letter.repeat(32));
const basic = `Basic ${Buffer.from("anyone:password").toString("base64")}`;

const ask = (headers: Record<string, string>, path = "search?mode=words&q=bread") =>
  (path.startsWith("similar") ? GET_SIMILAR : GET)(new Request(`http://localhost/api/${path}`, { headers }));

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.stubEnv("NODE_ENV", "production");
  vi.stubEnv("DASHBOARD_PASSWORD", "password");
  vi.stubEnv("SEARCH_API_KEYS", `${OLD}, ${NEW},${BOUND}@7`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("a request to search", () => {
  it.each(["cross-site", "same-site", "anything"])(
    "from a page of another site (%s) is answered 403, even with the password",
    async (site) => {
      for (const path of ["search?q=bread", "similar?id=1"]) {
        const response = await ask({ authorization: basic, "sec-fetch-site": site }, path);
        expect(response.status).toBe(403);
        expect(await response.json()).toEqual({ error: "Search does not answer pages of other sites" });
      }
    },
  );

  it.each(["same-origin", "none", undefined])("is answered if its site is %s", async (site) => {
    const headers = { authorization: basic, ...(site && { "sec-fetch-site": site }) };
    expect((await ask(headers)).status).toBe(200);
  });

  it("is answered with the old key and the new one, in any case of the scheme", async () => {
    await insertEmbedded({ body: "bread" });
    for (const authorization of [`Bearer ${OLD}`, `bearer  ${NEW}`]) {
      const response = await ask({ authorization });
      expect(response.status).toBe(200);
      expect((await response.json()).results).toHaveLength(1);
    }
    expect((await ask({ authorization: `Bearer ${NEW}` }, "similar?id=0")).status).toBe(404);
  });

  it.each([
    ["a wrong key", `Bearer ${"d".repeat(32)}`],
    ["a prefix of a key", `Bearer ${OLD?.slice(1)}`],
    ["a key with its tenant", `Bearer ${BOUND}@7`],
    ["the whole list", `Bearer ${OLD},${NEW}`],
    ["the password as a key", "Bearer password"],
    ["an empty key", "Bearer "],
    ["no key", "Bearer"],
    ["nothing", ""],
  ])("with %s is answered 401", async (_, authorization) => {
    const response = await ask({ authorization });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toMatch(/^(Bearer|Basic) realm/);
  });

  it("with a key for a tenant is answered 403 if the table has no tenants", async () => {
    const response = await ask({ authorization: `Bearer ${BOUND}` });
    expect(response.status).toBe(403);
  });

  it.each([undefined, "", " "])("accepts no key while the variable is %j", async (value) => {
    vi.stubEnv("SEARCH_API_KEYS", value);
    for (const authorization of [`Bearer ${OLD}`, "Bearer ", "Bearer undefined"])
      expect((await ask({ authorization })).status).toBe(401);
  });

  it("accepts no key, not even a good one, while one is malformed", async () => {
    vi.stubEnv("SEARCH_API_KEYS", `${OLD},short`);
    await expect(ask({ authorization: `Bearer ${OLD}` })).rejects.toThrow("SEARCH_API_KEYS key 2 is shorter");
  });

  it("with a key needs no password to be set; without one it is answered 401, and 404 if there are no keys", async () => {
    vi.stubEnv("DASHBOARD_PASSWORD", "");
    expect((await ask({ authorization: `Bearer ${OLD}` })).status).toBe(200);
    expect((await ask({})).status).toBe(401);
    vi.stubEnv("SEARCH_API_KEYS", "");
    expect((await ask({})).status).toBe(404);
  });

  it("with a wrong key is answered 401 in development, too", async () => {
    vi.stubEnv("NODE_ENV", "development");
    expect((await ask({ authorization: "Bearer wrong" })).status).toBe(401);
    expect((await ask({})).status).toBe(200);
  });
});

describe("SEARCH_API_KEYS", () => {
  it("binds a key to a tenant", () => {
    expect(parseSearchKeys(`${OLD}@a%2Cb@c, ${NEW}`).keys).toEqual([
      { key: OLD, tenant: "a,b@c" },
      { key: NEW, tenant: undefined },
    ]);
  });

  it.each([
    ["x".repeat(31), "key 1 is shorter than 32 characters, so it could be guessed"],
    [`${OLD},`, "key 2 has a character that a bearer token cannot have"],
    [`${OLD},${OLD}@7`, "key 2 is there twice"],
    [`${OLD}@`, "key 1 has no tenant after its @, or one that is not percent-encoded"],
    [`${OLD}@%`, "key 1 has no tenant after its @, or one that is not percent-encoded"],
    [`${OLD} ${NEW}`, "key 1 has a character that a bearer token cannot have"],
    [`@${OLD}`, "key 1 has a character that a bearer token cannot have"],
  ])("must not be %j", (text, problem) => {
    expect(parseSearchKeys(text)).toEqual({ keys: [], problem });
  });
});
