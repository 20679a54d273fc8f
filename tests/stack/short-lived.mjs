// Preloaded into each Node.js process of a stack of the suites: V8 would optimize the WebAssembly of each Postgres, which
// costs more than these short lives gain by it. A budget, since Node.js itself has run some WebAssembly by now.
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--wasm-tiering-budget=2000000000");
