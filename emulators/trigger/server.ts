import type { Engine } from "./engine/engine.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { LevelStore } from "./store/level-store.ts";
import type { WorkSignal } from "./work-signal.ts";

/** Shared by the routes. */
export interface Server {
  engine: Engine;
  store: LevelStore;
  work: WorkSignal;
  /** The base URL at which clients reach this server, without a slash at its end. */
  url(): string;
  secretKey: string;
  accessToken: string;
  rateLimit: RateLimit;
  /** Aborts when the server closes, and with it every open stream and poll. */
  closing: AbortSignal;
}
