import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      dev: z.boolean().optional(),
      link: z.boolean().optional(),
      optionalDependencies: z.record(z.string(), z.string()).optional(),
      dependencies: z.record(z.string(), z.string()).optional(),
      devDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

const { packages } = lockSchema.parse(JSON.parse(readFileSync("package-lock.json", "utf8")));
const names = Object.keys(packages);

describe("package-lock.json", () => {
  it("has every optional package, so that npm ci accepts it on each platform", () => {
    const wanted = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
    expect(wanted.length).toBeGreaterThan(50);
    const missing = wanted.filter((name) => !names.some((path) => path.endsWith(`node_modules/${name}`)));
    expect(missing).toEqual([]);
  });

  it("brings nothing of the local stack into a production install", () => {
    const production = new Set(
      ["", "packages/aftercommit"].flatMap((path) => Object.keys(packages[path]?.dependencies ?? {})),
    );
    const workspaces = Object.entries(packages).filter(([path]) => /^(emulators\/[^/]+|dev)$/.test(path));
    expect(workspaces.length).toBeGreaterThan(8);
    const local = workspaces
      .flatMap(([, { devDependencies = {} }]) => Object.keys(devDependencies))
      .filter((name) => !production.has(name) && !name.startsWith("@aftercommit/"));
    expect(local.length).toBeGreaterThan(8);
    // The product's own packages need these as well.
    const shared = [
      "@next/env",
      "@trigger.dev/core",
      "pg-protocol",
      "socket.io-client",
      "zod-validation-error",
    ];
    const brought = local.filter((name) => !shared.includes(name) && !packages[`node_modules/${name}`]?.dev);
    expect(brought).toEqual([]);
    expect(workspaces.filter(([, { dependencies }]) => dependencies)).toEqual([]);
  });

  it("pins Trigger.dev's packages to one version", () => {
    const versions = ["sdk", "core", "build"].map(
      (name) => packages[`node_modules/@trigger.dev/${name}`]?.version,
    );
    expect(new Set([...versions, packages["node_modules/trigger.dev"]?.version])).toEqual(new Set(["4.8.3"]));
  });
});
