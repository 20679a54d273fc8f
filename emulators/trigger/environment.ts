import { generateInternalId } from "@trigger.dev/core/v3/isomorphic";
import type { Tables } from "./store/tables.ts";

export const organization = { id: "org_local", slug: "local", name: "Local" };

export type Place = ReturnType<typeof findPlace>;

/**
 * The server's only environment: every project ref and both keys lead to it. Its ids are generated once per data
 * folder, so that a shared database that stores \`ctx.environment.id\` can tell one laptop from another.
 */
export function findPlace({ identity }: Tables) {
  const [known] = identity.values();
  const ids = known ?? { id: "server", environmentId: generateInternalId(), projectId: generateInternalId() };
  if (!known) identity.save(ids);
  return {
    environment: { id: ids.environmentId, slug: "dev", type: "DEVELOPMENT" as const },
    project: { id: ids.projectId, slug: "local", name: "Local" },
  };
}

/** The machine sizes of https://trigger.dev/docs/machines; names only matter to tasks that read ctx.machine. */
export const machines = {
  micro: { name: "micro", cpu: 0.25, memory: 0.25, centsPerMs: 0 },
  "small-1x": { name: "small-1x", cpu: 0.5, memory: 0.5, centsPerMs: 0 },
  "small-2x": { name: "small-2x", cpu: 1, memory: 1, centsPerMs: 0 },
  "medium-1x": { name: "medium-1x", cpu: 1, memory: 2, centsPerMs: 0 },
  "medium-2x": { name: "medium-2x", cpu: 2, memory: 4, centsPerMs: 0 },
  "large-1x": { name: "large-1x", cpu: 4, memory: 8, centsPerMs: 0 },
  "large-2x": { name: "large-2x", cpu: 8, memory: 16, centsPerMs: 0 },
} as const;
