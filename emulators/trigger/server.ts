import type { Engine } from "./engine/engine.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { LevelStore } from "./store/level-store.ts";
import type { WorkSignal } from "./work-signal.ts";

/** What the routes share. */
export interface Server {
  engine: Engine;
  store: LevelStore;
  work: WorkSignal;
  /** The base URL that clients reach this server at, without a slash at its end. */
  url(): string;
  secretKey: string;
  accessToken: string;
  rateLimit: RateLimit;
  /** Aborts when the server closes, and with it every open stream and poll. */
  closing: AbortSignal;
}
