// npx aftercommit sequin: completes sequin.yaml from aftercommit.config.ts. --check only says what would change.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fromSequin } from "../src/declare/declarations.ts";
import { completeSequinYaml } from "../src/sequin-config/complete.ts";
import { command } from "./command.ts";
import { loadDeclarations } from "./load-declarations.ts";

const FILE = "sequin.yaml";

await command(async () => {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const declarations = fromSequin(await loadDeclarations());
  if (declarations.length === 0) return void say("No declaration is from Sequin: there is nothing to write.");
  const before = existsSync(FILE) ? readFileSync(FILE, "utf8") : undefined;
  const { text, changes, notes } = completeSequinYaml(before, declarations);
  for (const line of [...notes, ...changes]) say(line);
  if (changes.length === 0) say(`${FILE} fits aftercommit.config.ts.`);
  else if (values.check)
    throw new Error(`${FILE} does not fit aftercommit.config.ts: npx aftercommit sequin`);
  else {
    writeFileSync(FILE, text);
    say(
      `${FILE} is written. An existing publication has to be altered by hand: alter publication … add table …`,
    );
  }
});
