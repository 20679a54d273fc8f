import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { commandsInProse, commandsOf, documents, ROOT, read } from "../helpers/documents.ts";

/** Commands, and the file whose text `has` shows that it runs them; or why nothing on a plain machine can. */
type Kind = { command: RegExp } & ({ by: string; has: string } | { because: string });

const NO_DOCKER =
  "it needs Docker; tests/deploy checks the files, each step of the Dockerfile and what it makes";
const NO_ACCOUNT = "it needs an account at Trigger.dev, or a self-hosted server";
const READERS_OWN = "it stands for a program of the reader's";

const IN_CI = [...["check", "bench", "fuzz"], ...["test:postgres", "test:stacks", "test:image"]];

const KINDS: readonly Kind[] = [
  ...IN_CI.map((name) => ({
    command: new RegExp(`^npm run ${name}( -- [\\w ]+)?$`),
    by: ".ci/run",
    has: `npm run ${name}`,
  })),
  ...["trigger", "kills", "browser", "install"].map((name) => ({
    command: new RegExp(`^npm run test:${name}$`),
    by: ".ci/run",
    has: "npm run test:stacks",
  })),
  { command: /^npm run dev$/, by: "tests/helpers/stack/dev-stack.ts", has: '["run", "dev"]' },
  { command: /^npm test( -- \w+\/\w+)?$/, by: ".ci/run", has: "\nnpm test\n" },
  { command: /^npm test -w emulators\/[\w-]+$/, because: "npm test runs the same files" },
  { command: /^npm audit$/, by: ".ci/run", has: "scripts/audit.mjs" },
  { command: /^npm run soak$/, because: "it takes minutes and a machine for nothing else" },
  { command: /^npm run reconcile\b/, by: "tests/commands/commands.test.ts", has: '"--row"' },
  { command: /^npm run reembed\b/, by: "tests/stack/dev.test.ts", has: '"reembed", "--model"' },
  { command: /^npm run capture$/, by: "tests/helpers/capture/capture-process.ts", has: '"capture"' },
  { command: /^npm run pack$/, by: "tests/helpers/install/tarball.ts", has: "scripts/pack.mjs" },
  { command: /^npm install .*\/aftercommit-/, by: "tests/install/fresh-app.test.ts", has: '"install"' },
  { command: /^npx aftercommit init$/, by: "tests/install/fresh-app.test.ts", has: '"init"' },
  {
    command: /emulators\/stack\/main\.ts /,
    by: "tests/helpers/install/project.ts",
    has: "emulators/stack/main.ts",
  },
  { command: /^npm run format$/, because: "it writes files; npm run check runs the same linter" },
  { command: /^npm run screenshots$/, because: "it writes files of the repository" },
  { command: /^npm run sql( -- |$)/, by: "dev/tests/documented-sql.test.ts", has: "npm run sql" },
  {
    command: /^npm run migrate$/,
    by: "tests/deploy/image.test.ts",
    has: "packages/aftercommit/cli/migrate.ts",
  },
  {
    command: /^npm run migrate -- --print$/,
    by: "packages/aftercommit/src/migrate/print.test.ts",
    has: "printMigration",
  },
  { command: /^npm run sequin$/, by: "packages/aftercommit/cli/sequin.test.ts", has: "cli/sequin.ts" },
  {
    command: /^npm run doctor -- --(json|wait=300)$/,
    by: "tests/stack/dev.test.ts",
    has: '"doctor", "--json", "--wait=300"',
  },
  {
    command: /^npm run doctor( -- --only [\w,-]+)?$/,
    by: "packages/aftercommit/src/doctor/command.test.ts",
    has: '"--only"',
  },
  {
    command: /^npm run doctor -- --test-webhooks$/,
    by: "packages/aftercommit/src/doctor/far-faults.test.ts",
    has: "testWebhooks",
  },
  {
    command: /^npm run deletions\b/,
    by: "packages/aftercommit/src/deletions/command/command.test.ts",
    has: 'startCommand("deletions"',
  },
  {
    command: /openssl (genpkey|pkey) /,
    because: "it makes and shows keys; tests make theirs in the same form",
  },
  { command: /^npm install --save-dev @trigger\.dev\/build$/, because: "it downloads the newest version" },
  { command: /\bnpm run tune-search\b/, because: "the labelled data sets are not in the repository" },
  {
    command: /^npm run doctor -- --list$/,
    by: "packages/aftercommit/src/doctor/command.test.ts",
    has: '"--list"',
  },
  {
    command: /^npm run compose:secrets$/,
    by: "tests/deploy/files.test.ts",
    has: "scripts/compose-secrets.ts",
  },
  {
    command: /^npm run capture -- --temporary$/,
    by: "tests/postgres/dev-capture.test.ts",
    has: 'LOCAL_CAPTURE: "on"',
  },
  { command: /npm run local -- [a-z ]+$/, by: "tests/stack/parts-alone.test.ts", has: "npm run local" },
  { command: /^curl .*127\.0\.0\.1:3040/, by: "tests/stack/parts-alone.test.ts", has: "curl" },
  {
    command: /^curl "http:\/\/127\.0\.0\.1:3000\/api\/search/,
    by: "tests/stack/dev.test.ts",
    has: "/api/search?q=",
  },
  { command: /^curl .*\/api\/health$/, by: "tests/deploy/image.test.ts", has: "/api/health" },
  {
    command: /^npx trigger\.dev(@VERSION)? dev$/,
    by: "emulators/trigger/tests/suite/cli.ts",
    has: '[cliEntry, "dev"]',
  },
  { command: /^npx trigger\.dev (login|deploy)/, because: NO_ACCOUNT },
  { command: /^docker compose /, because: NO_DOCKER },
  { command: /^psql /, because: "there may be no psql; emulators/postgres/tests has its protocol" },
  { command: / node your-program\.js$/, because: READERS_OWN },
];

const commands = documents.flatMap((page) => [...commandsOf(page), ...commandsInProse(page)]);
const kindOf = (command: string) => KINDS.find((kind) => kind.command.test(command));

it("every command of a page is run by a test, or there is a reason", () => {
  expect(commands.filter((command) => kindOf(command) === undefined)).toEqual([]);
});

it("every file that is listed as running a command contains it", () => {
  const wrong = KINDS.flatMap((kind) =>
    "by" in kind && !(existsSync(join(ROOT, kind.by)) && read(kind.by).includes(kind.has))
      ? [`${kind.by}: ${kind.has}`]
      : [],
  );
  expect(wrong).toEqual([]);
});

it("nothing is listed for commands that no page has", () => {
  const used = new Set(commands.map(kindOf));
  expect(KINDS.filter((kind) => !used.has(kind)).map(({ command }) => command.source)).toEqual([]);
});

it("finds commands, without comments and variables that are only set", () => {
  expect(commandsInProse({ name: "x.md", text: "Run `npm run\na` and `b`." })).toEqual(["npm run a"]);
  const text = "```sh\nexport A=b # c\nnpm test   # all\n# nothing\n\ncurl http://a/#b\n```\n";
  expect(commandsOf({ name: "x.md", text })).toEqual(["npm test", "curl http://a/#b"]);
});
