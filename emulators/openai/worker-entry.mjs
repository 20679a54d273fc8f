// `--import tsx` does nothing outside the main thread, so this thread asks for TypeScript itself.
import { register } from "tsx/esm/api";

register();
await import("./worker.ts");
