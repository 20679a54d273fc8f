import type { Server } from "node:http";
import type { Hono } from "hono";
import type { Child } from "hono/jsx";

/** What a part shows in the console. */
export type Pages = {
  /** Where it is in the navigation; a part without one has only a card. */
  place?: { path: string; name: string };
  /** The addresses that `routes` answer, as Hono writes them. */
  paths: readonly string[];
  routes: Hono;
  /** The part in a few words, for the first page. */
  card(): Child;
  /** What is newest, below all cards. */
  latest?(): Child;
};

/** A part of the local stack at work. Its package exports `start`, which resolves to one. */
export type RunningPart = {
  /** Routes for programs, at the addresses of the real service. */
  app?: Hono;
  pages?: Pages;
  /** Adds to the HTTP server what is no route, such as a socket. */
  attach?(server: Server): void;
  /** Begins what needs every other part, and the app. */
  connect?(): Promise<void>;
  close(): Promise<void>;
};

/** A service that no emulator plays: its name for a person, and the page where a person looks at it. */
export type RealService = { name: string; href?: string };
