// Preloaded into each Node.js process of the suites' stacks: V8 would optimize the WebAssembly of each Postgres, which
// costs more than these short lives gain. A budget, because Node.js itself has already run some WebAssembly.
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--wasm-tiering-budget=2000000000");
