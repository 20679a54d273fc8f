import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { choosePorts } from "../stack/dev-stack.ts";
import { Project } from "./project.ts";

// The published version; it pins the version of Next.js that it installs.
const CREATE_NEXT_APP = "create-next-app@16.4.3";

/** A new Next.js app from create-next-app. */
export async function createNextApp(): Promise<Project> {
  const parent = await mkdtemp(join(tmpdir(), "aftercommit-install-"));
  const options = ["--yes", "--ts", "--app", "--no-tailwind", "--no-eslint", "--no-src-dir", "--use-npm"];
  await promisify(execFile)("npx", ["--yes", CREATE_NEXT_APP, "shop", ...options, "--disable-git"], {
    cwd: parent,
  });
  return new Project(join(parent, "shop"), await choosePorts());
}
