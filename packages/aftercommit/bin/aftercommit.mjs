#!/usr/bin/env node
// Starts the command line. `aftercommit.config.ts` is TypeScript, and so is this package in its own repository.
import { register } from "tsx/esm/api";

register();
await import("../cli/aftercommit.ts");
