/** The processes of `npm run dev` that do the work, by their command lines. */
export const VICTIMS = {
  "trigger.dev dev": /trigger\.dev\/dist\/esm\/index\.js/,
  "a worker": /dev-run-worker/,
  "the local stack": /emulators\/stack\/main\.ts/,
  "Next.js": /next\/dist\/bin\/next|next-server/,
};

export type Victim = keyof typeof VICTIMS;

export const EACH: Victim[] = ["trigger.dev dev", "a worker", "the local stack", "Next.js"];
