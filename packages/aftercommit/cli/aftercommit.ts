// aftercommit COMMAND [options]: the command line of the package. In this repository, `npm run COMMAND` calls it.
const COMMANDS: Readonly<Record<string, { does: string; run: () => Promise<unknown> }>> = {
  init: {
    does: "declare tables of a project, and write its routes and tasks",
    run: () => import("./init.ts"),
  },
  migrate: {
    does: "bring the database up to this version and to aftercommit.config.ts",
    run: () => import("./migrate.ts"),
  },
  sequin: { does: "complete sequin.yaml from aftercommit.config.ts", run: () => import("./sequin.ts") },
  capture: {
    does: "read the tables' changes from the database itself, without Sequin",
    run: () => import("./capture.ts"),
  },
  reconcile: {
    does: "find rows whose vectors are missing or out of date",
    run: () => import("./reconcile.ts"),
  },
  reembed: { does: "change the embedding model while search goes on", run: () => import("./reembed.ts") },
  deletions: {
    does: "preview, hold, list, retry, receipts, export, replay after a restore",
    run: () => import("./deletions.ts"),
  },
  doctor: { does: "say what is wrong with the setup, and how to fix it", run: () => import("./doctor.ts") },
};

function loadEnvironment(): void {
  // The first file that sets a variable wins, and the environment wins over both, as in Next.js.
  for (const file of [".env.local", ".env"]) {
    try {
      process.loadEnvFile(file);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
}

const [name = ""] = process.argv.splice(2, 1);
const command = COMMANDS[name];
if (command) {
  loadEnvironment();
  await command.run();
} else {
  const list = Object.entries(COMMANDS).map(([each, { does }]) => `  ${each.padEnd(10)} ${does}`);
  process.stderr.write(`Usage: aftercommit COMMAND [options]\n\n${list.join("\n")}\n`);
  process.exitCode = name === "--help" ? 0 : 1;
}
