// Fails if what is deployed depends on a package with a known vulnerability of high or critical severity. If the
// registry does not answer that, as some mirrors do not, this says so and passes.
import { spawnSync } from "node:child_process";

const { stdout } = spawnSync("npm", ["audit", "--omit=dev", "--json"], { encoding: "utf8" });

function reportOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

const { metadata, vulnerabilities = {} } = reportOf(stdout);
if (!metadata) {
  console.log("The registry does not tell of vulnerabilities: nothing was audited.");
} else {
  const severe = Object.values(vulnerabilities).filter(({ severity }) => /high|critical/.test(severity));
  for (const { name, severity, range } of severe) console.error(`${name} ${range}: ${severity}`);
  console.log(`${severe.length} severe vulnerabilities in what is deployed.`);
  process.exitCode = severe.length > 0 ? 1 : 0;
}
