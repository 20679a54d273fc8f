import { type ExecFileOptions, execFile, execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../../..");

type Step = { keyword: string; text: string };
export type Stage = { name: string; from: string; steps: Step[] };

/** The stages of the Dockerfile, in order. */
export function stagesOf(dockerfile: string): Stage[] {
  const stages: Stage[] = [];
  for (const line of dockerfile.replaceAll(/\\\n/g, " ").split("\n")) {
    const [, keyword = "", text = ""] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    const [, from, name] = (keyword === "FROM" && /^(\S+) AS (\S+)$/.exec(text)) || [];
    if (from && name) stages.push({ name, from, steps: [] });
    else if (keyword) stages.at(-1)?.steps.push({ keyword, text });
  }
  return stages;
}

/**
 * The files that .dockerignore lets into the image, as in a clone. Ours excludes everything, re-includes some, and
 * excludes names that end like tests.
 */
export function contextFiles(): string[] {
  const lines = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n");
  const [first, ...others] = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const names = others.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  const ends = others.slice(names.length).map((line) => /^\*\*\/\*([\w.]+)$/.exec(line)?.[1] ?? "");
  if (first !== "*" || ends.includes(""))
    throw new Error(".dockerignore has a form that this does not understand");
  const listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...names];
  const files = execFileSync("git", listed, { cwd: ROOT, encoding: "utf8" }).split("\0");
  return files.filter(
    (file) => file && !ends.some((end) => file.endsWith(end)) && existsSync(join(ROOT, file)),
  );
}

/** What would be in an image: its files, its environment, its command and its health check. */
export type Image = {
  folder: string;
  env: Record<string, string>;
  user: string;
  command: string[];
  healthCheck: string[];
};

function copy(text: string, image: Image, images: ReadonlyMap<string, Image>): void {
  const [, from, source = "", target = ""] = /^(?:--from=(\S+) )?(\S+) (\S+)$/.exec(text) ?? [];
  if (from) {
    const path = join(images.get(from)?.folder ?? "", source.replace(/^\/app\//, ""));
    cpSync(path, join(image.folder, target), { recursive: true, verbatimSymlinks: true });
    return;
  }
  if (source !== "." || target !== ".")
    throw new Error(`COPY ${text} has a form that this does not understand`);
  for (const file of contextFiles()) {
    mkdirSync(dirname(join(image.folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(image.folder, file));
  }
}

// What CI has already made with the same commands, and need not make again: see .ci/run.
const MADE: Readonly<Record<string, string>> = { "npm ci": "node_modules", "npm run build": ".next" };

async function run(text: string, { folder, env }: Image): Promise<void> {
  const [, made] = Object.entries(MADE).find(([command]) => text.startsWith(command)) ?? [];
  if (made && process.env.TEST_BUILT) {
    execFileSync("cp", ["-al", join(ROOT, made), folder]);
    return;
  }
  const { PATH, HOME } = process.env;
  const options: ExecFileOptions = {
    cwd: folder,
    env: { NODE_ENV: "production", PATH, HOME, ...env },
    maxBuffer: 2 ** 26,
  };
  // Docker sets none: npm would leave out what the build needs.
  await promisify(execFile)("env", ["-u", "NODE_ENV", "sh", "-c", text], options);
}

async function take(
  { keyword, text }: Step,
  image: Image,
  images: ReadonlyMap<string, Image>,
): Promise<void> {
  if (keyword === "COPY") copy(text, image, images);
  else if (keyword === "ENV")
    for (const [name = "", value = ""] of text.split(/\s+/).map((pair) => pair.split("=")))
      image.env[name] = value;
  else if (keyword === "RUN") await run(text, image);
  else if (keyword === "USER") image.user = text;
  else if (keyword === "CMD") image.command = JSON.parse(text);
  else if (keyword === "HEALTHCHECK") image.healthCheck = JSON.parse(text.slice(text.indexOf("[")));
  else if (keyword !== "EXPOSE" && text !== "/app") throw new Error(`${keyword} ${text} is not understood`);
}

/** Runs the Dockerfile's steps, each stage in a folder instead of its /app. */
export async function buildImages(folder: string): Promise<Map<string, Image>> {
  const images = new Map<string, Image>();
  for (const { name, from, steps } of stagesOf(readFileSync(join(ROOT, "Dockerfile"), "utf8"))) {
    const base = images.get(from);
    const image: Image = {
      folder: join(folder, name),
      env: { ...base?.env },
      user: base?.user ?? "root",
      command: [],
      healthCheck: [],
    };
    mkdirSync(image.folder);
    chmodSync(image.folder, 0o755);
    if (base) execFileSync("cp", ["-al", `${base.folder}/.`, image.folder]);
    for (const step of steps) await take(step, image, images);
    images.set(name, image);
  }
  return images;
}
