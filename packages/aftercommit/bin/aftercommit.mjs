#!/usr/bin/env node
// The command line in this repository, where the package is TypeScript and commands get the emulators' addresses.
// scripts/pack.mjs writes the published one.
import { register } from "tsx/esm/api";

register();
process.argv.splice(2, 0, "packages/aftercommit/cli/aftercommit.ts");
await import("../../../scripts/with-environment.ts");
