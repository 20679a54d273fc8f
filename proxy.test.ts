import { expect, it } from "vitest";
import * as config from "./aftercommit.config.ts";
import { declarationsOf } from "./packages/aftercommit/src/declare/declarations.ts";
import { routeOf } from "./packages/aftercommit/src/declare/names.ts";
import { config as proxy } from "./proxy.ts";

// The production build's own reading of it is tested in tests/browser/production.test.ts.
const asksForPassword = (path: string) => proxy.matcher.some((text) => new RegExp(`^${text}$`).test(path));

it.each([...declarationsOf(config).map(routeOf), "/api/health", "/api/search", "/api/similar"])(
  "%s checks access itself",
  (path) => expect(asksForPassword(path)).toBe(false),
);

it.each(["/", "/api/retry-failed", "/api/deletion-receipt", "/added", "/api/added", "/api/search/added"])(
  "%s asks for the password",
  (path) => expect(asksForPassword(path)).toBe(true),
);
