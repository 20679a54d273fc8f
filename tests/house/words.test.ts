import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT, read } from "../helpers/documents.ts";

type Rule = { not: RegExp; say: string; except?: readonly string[] };

const NOUN =
  "post|row|run|subject|emulator|package|folder|system|declaration|change|delivery|user|task|table|model";

/**
 * Phrases that make a reader stop, and what to say instead. `except` are the paths that still have one: remove a path
 * when it has none, and never add one.
 */
const RULES: readonly Rule[] = [
  { not: /\bmend(s|ed|ing)?\b/, say: "fix" },
  { not: /\btold of\b/, say: "notified of" },
  { not: /\banew\b/, say: "again" },
  { not: /\bfor good\b/, say: "permanently" },
  { not: /\bfor ever\b/, say: "forever" },
  { not: /\bever (longer|later)\b/, say: "longer each time" },
  { not: /\bwhat is no\b/, say: "invalid" },
  { not: /\bwithout a word\b/, say: "silently" },
  { not: /\bside by side\b/, say: "in parallel" },
  { not: /\bat once\b/, say: "immediately, or at the same time" },
  { not: /\b(surely|in vain)\b/, say: "certainly, or without effect" },
  { not: /\beverybody\b(?! on)/, say: "every process, or everyone" },
  {
    not: /\bunder way\b/,
    say: "running, or in progress",
    except: ["emulators/trigger/console/attempts.tsx", "emulators/trigger/tests/console.test.ts"],
  },
  {
    not: /\bof (its|their|one's) own\b/,
    say: "its own …, a new …, a dedicated …",
    except: [
      "emulators/trigger/routes/queues.ts",
      "packages/aftercommit/src/catalog/columns.ts",
      "packages/aftercommit/src/define.ts",
      "packages/aftercommit/src/catalog/inspect.test.ts",
      "packages/aftercommit/src/providers/answers.test.ts",
    ],
  },
  { not: /\btime-outs?\b/, say: "timeout" },
  { not: /\bstand-?ins?\b/, say: "emulator" },
  {
    // Not the field of Trigger.dev's protocol.
    not: /\bcancelled\b(?!: )/,
    say: "canceled",
    except: [
      "emulators/trigger/engine/cancel-run.ts",
      "packages/aftercommit/src/deletions/within-attempt.ts",
      "packages/aftercommit/src/deletions/confirmation-claims.test.ts",
      "packages/aftercommit/src/deletions/send-confirmation.test.ts",
      "packages/aftercommit/src/deletions/external-systems.test.ts",
    ],
  },
  { not: /\b(behaviour|colour|recognis)/, say: "American spelling" },
  { not: /, else (as|it|they|the|a|with|by)\b/, say: "otherwise" },
  {
    not: new RegExp(`\\b(a|each|one) (call|file|line|package|page|request|row|run) an? (${NOUN})\\b`),
    say: "per",
  },
];

const NOT_WRITTEN_HERE = /fixtures\/|^CHANGELOG\.md$|^tests\/house\/words\.test\.ts$/;
const GIT = ["ls-files", "--cached", "--others", "--exclude-standard"];
const files = execFileSync("git", GIT, { cwd: ROOT, encoding: "utf8" })
  .split("\n")
  .filter((path) => /\.(md|mjs|sql|tsx?|ya?ml)$/.test(path) && !NOT_WRITTEN_HERE.test(path))
  .filter((path) => existsSync(join(ROOT, path)))
  .map((path) => ({ path, lines: read(path).split("\n") }));

/** The places of a phrase, as `docs/install.md:12`. */
const placesOf = ({ not }: Rule) =>
  files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (new RegExp(not, "i").test(line) ? [`${path}:${index + 1}`] : [])),
  );

describe.each(RULES)("instead of $not, say: $say", (rule) => {
  const { except = [] } = rule;
  const isExcepted = (place: string) => except.some((path) => place.startsWith(path));

  it("is followed everywhere else", () => {
    expect(placesOf(rule).filter((place) => !isExcepted(place))).toEqual([]);
  });

  it("has no exception that is no longer needed", () => {
    const places = placesOf(rule);
    expect(except.filter((path) => !places.some((place) => place.startsWith(path)))).toEqual([]);
  });
});
