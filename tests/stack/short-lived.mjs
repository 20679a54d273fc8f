// Preloaded into each Node.js process of a stack of the suites: V8 would optimize the WebAssembly of each Postgres, which
// costs more than these short lives gain by it. A budget, since Node.js has run some WebAssembly of its own by now.
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--wasm-tiering-budget=2000000000");
