import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Variables } from "@aftercommit/local-stack/emulators.ts";
import { z } from "zod";

const stored = z.object({
  profiles: z.record(
    z.string(),
    z.object({ accessToken: z.string().optional(), apiUrl: z.string().optional() }),
  ),
});

/** The folder in which the CLI keeps its logins, as the package xdg-app-paths chooses it. */
function configFolder({ XDG_CONFIG_HOME, APPDATA }: Variables): string {
  if (XDG_CONFIG_HOME) return XDG_CONFIG_HOME;
  if (process.platform === "darwin") return join(homedir(), "Library", "Preferences");
  return process.platform === "win32" && APPDATA ? APPDATA : join(homedir(), ".config");
}

function loginsOf(env: Variables): string[] {
  try {
    const text = readFileSync(join(configFolder(env), "trigger", "config.json"), "utf8");
    const { profiles } = stored.parse(JSON.parse(text));
    return Object.values(profiles).flatMap(({ accessToken, apiUrl }) =>
      accessToken && apiUrl ? [apiUrl] : [],
    );
  } catch {
    // No login is stored, or only in a form that this does not know.
    return [];
  }
}

/**
 * What to do before the CLI can reach a self-hosted Trigger.dev; undefined if nothing. Without a token or a login it
 * goes to the cloud, whatever TRIGGER_API_URL says.
 */
export function loginHint(env: Variables): string | undefined {
  const url = env.TRIGGER_API_URL?.trim();
  if (!url || env.TRIGGER_ACCESS_TOKEN?.trim()) return undefined;
  const bare = (text: string) => text.replace(/\/+$/, "");
  if (loginsOf(env).some((known) => bare(known) === bare(url))) return undefined;
  return `trigger.dev dev reaches ${url} only with TRIGGER_ACCESS_TOKEN or after \`npx trigger.dev login -a ${url}\``;
}
