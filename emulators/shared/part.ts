import type { Server } from "node:http";
import type { Hono } from "hono";
import type { Child } from "hono/jsx";

/** What a part shows in the console. */
export type Pages = {
  /** Its place in the navigation; a part without one only has a card. */
  place?: { path: string; name: string };
  /** The paths of `routes`, as Hono writes them. */
  paths: readonly string[];
  routes: Hono;
  /** The part in a few words, for the first page. */
  card(): Child;
  /** The newest items, shown below all cards. */
  latest?(): Child;
};

/** A running part of the local stack. Its package exports `start`, which resolves to one. */
export type RunningPart = {
  /** Routes for programs, at the paths of the real service. */
  app?: Hono;
  pages?: Pages;
  /** Attaches to the HTTP server what is not a route, such as a socket. */
  attach?(server: Server): void;
  /** Starts what needs every other part, and the app. */
  connect?(): Promise<void>;
  close(): Promise<void>;
};

/** A service that is not emulated: its name, and its page for people. */
export type RealService = { name: string; href?: string };
