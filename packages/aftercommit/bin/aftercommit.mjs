#!/usr/bin/env node
// Starts the command line in this repository, where the package is TypeScript; scripts/pack.mjs writes another one.
import { register } from "tsx/esm/api";

register();
await import("../cli/aftercommit.ts");
