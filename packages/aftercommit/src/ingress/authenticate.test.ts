import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EnvironmentError } from "../env/env.ts";
import { RefusedRequestError } from "../errors.ts";
import { authenticate } from "./authenticate.ts";

const secret = "kC8+correct/horse=";

function attempt(authorization?: string): "passed" | "refused" | "not configured" {
  const headers = authorization === undefined ? undefined : { authorization };
  try {
    authenticate(
      new Request("http://localhost/", { method: "POST", headers }),
      "SEQUIN_WEBHOOK_SECRET",
      "SEQUIN_WEBHOOK_SECRET_PREVIOUS",
    );
    return "passed";
  } catch (error) {
    if (error instanceof RefusedRequestError && error.status === 401) return "refused";
    if (error instanceof EnvironmentError) return "not configured";
    throw error;
  }
}

beforeEach(() => {
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET_PREVIOUS", undefined);
});
afterEach(() => vi.unstubAllEnvs());

it.each([`Bearer ${secret}`, `bearer ${secret}`, `BEARER   ${secret}`, ` Bearer ${secret} `])(
  "passes %j",
  (header) => {
    expect(attempt(header)).toBe("passed");
  },
);

it.each([
  undefined,
  "",
  "Bearer",
  "Bearer ",
  secret,
  `Basic ${secret}`,
  `Bearer${secret}`,
  `Bearer ${secret.slice(0, -1)}`,
  `Bearer ${secret}x`,
  `Bearer ${secret} x`,
  `Bearer ${secret.toUpperCase()}`,
  `Bearer ${secret}, Bearer ${secret}`,
  "Bearer undefined",
  "Bearer null",
])("rejects %j", (header) => {
  expect(attempt(header)).toBe("refused");
});

it("accepts a secret with spaces in it", () => {
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", "correct horse battery");
  expect(attempt("Bearer correct horse battery")).toBe("passed");
  expect(attempt("Bearer correct horse")).toBe("refused");
});

describe("while the secret changes", () => {
  it("accepts the previous one as well", () => {
    vi.stubEnv("SEQUIN_WEBHOOK_SECRET_PREVIOUS", "old");
    expect([attempt("Bearer old"), attempt(`Bearer ${secret}`), attempt("Bearer older")]).toEqual([
      "passed",
      "passed",
      "refused",
    ]);
  });

  it.each(["", "   "])("rejects an empty token when the previous one is %j", (previous) => {
    vi.stubEnv("SEQUIN_WEBHOOK_SECRET_PREVIOUS", previous);
    expect(attempt("Bearer ")).toBe("refused");
    expect(attempt("Bearer undefined")).toBe("refused");
  });
});

describe.each([undefined, "", "  "])("with the secret %j", (unset) => {
  it.each([undefined, "Bearer", "Bearer ", "Bearer undefined", "Bearer null", "Bearer old"])(
    "passes nothing: %j",
    (header) => {
      vi.stubEnv("SEQUIN_WEBHOOK_SECRET", unset);
      vi.stubEnv("SEQUIN_WEBHOOK_SECRET_PREVIOUS", "old");
      expect(attempt(header)).toBe("not configured");
    },
  );
});
