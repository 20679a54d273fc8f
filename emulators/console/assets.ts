import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Hono } from "hono";

// One theme: the emulators' pages look like the app's.
const ASSETS = {
  "theme.css": { path: "../../app/theme.css", type: "text/css; charset=utf-8" },
  "style.css": { path: "./assets/style.css", type: "text/css; charset=utf-8" },
  "refresh.js": { path: "./assets/refresh.js", type: "text/javascript; charset=utf-8" },
  "icon.svg": { path: "./assets/icon.svg", type: "image/svg+xml" },
} as const;

type Name = keyof typeof ASSETS;

const isName = (name: string): name is Name => Object.hasOwn(ASSETS, name);

const read = (name: Name) => {
  const text = readFileSync(new URL(ASSETS[name].path, import.meta.url), "utf8");
  return { text, version: createHash("sha256").update(text).digest("hex").slice(0, 12) };
};

const files: Record<Name, ReturnType<typeof read>> = {
  "theme.css": read("theme.css"),
  "style.css": read("style.css"),
  "refresh.js": read("refresh.js"),
  "icon.svg": read("icon.svg"),
};

/** The URL of a file. A changed file gets another URL, so browsers may cache each permanently. */
export function assetPath(name: Name): string {
  return `/console/${files[name].version}/${name}`;
}

export function assetRoutes(): Hono {
  const app = new Hono();
  app.get("/console/:version/:name", (c) => {
    const name = c.req.param("name");
    if (!isName(name)) return c.notFound();
    return c.body(files[name].text, 200, {
      "content-type": ASSETS[name].type,
      "cache-control": "public, max-age=31536000, immutable",
    });
  });
  return app;
}
