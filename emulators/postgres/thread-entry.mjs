// A thread of Node 20 does not inherit tsx from its parent.
import { register } from "tsx/esm/api";

register();
await import("./thread.ts");
