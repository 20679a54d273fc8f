// aftercommit COMMAND [options]: the command line of the package. In this repository, `npm run COMMAND` calls it.
const COMMANDS: Readonly<Record<string, { does: string; options: string; run: () => Promise<unknown> }>> = {
  init: {
    does: "declare tables of a project, and write its routes and tasks",
    options: "[--table posts [--key id] [--text title,body]] [--delete-table users [--email email]] [--yes]",
    run: () => import("./init.ts"),
  },
  migrate: {
    does: "bring the database up to this version and to aftercommit.config.ts",
    options: "[--print]",
    run: () => import("./migrate.ts"),
  },
  sequin: {
    does: "complete sequin.yaml from aftercommit.config.ts",
    options: "[--check]",
    run: () => import("./sequin.ts"),
  },
  capture: {
    does: "read the tables' changes from the database itself, without Sequin",
    options: "[--slot NAME | --temporary] [--print]",
    run: () => import("./capture.ts"),
  },
  reconcile: {
    does: "find rows whose vectors are missing or out of date",
    options: "[--full] [--table posts] [--row ID] [--dry-run] [--remove-many]",
    run: () => import("./reconcile.ts"),
  },
  reembed: {
    does: "change the embedding model while search goes on",
    options: "--model M [--provider P] [--dimensions D] [--accept-missing ROWS] | --stop | --retire",
    run: () => import("./reembed.ts"),
  },
  deletions: {
    does: "preview, hold, list, retry, receipts, export, replay after a restore",
    options: "COMMAND [options]; without a command, it shows the usage of each",
    run: () => import("./deletions.ts"),
  },
  doctor: {
    does: "say what is wrong with the setup, and how to fix it",
    options: "[--json] [--only database,capture] [--list] [--wait[=SECONDS]] [--test-webhooks]",
    run: () => import("./doctor.ts"),
  },
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
if (command && process.argv.includes("--help")) {
  process.stdout.write(`Usage: aftercommit ${name} ${command.options}\n\n  ${command.does}\n`);
} else if (command) {
  loadEnvironment();
  await command.run();
} else {
  const list = Object.entries(COMMANDS).map(([each, { does }]) => `  ${each.padEnd(10)} ${does}`);
  process.stderr.write(`Usage: aftercommit COMMAND [options]\n\n${list.join("\n")}\n`);
  process.exitCode = name === "--help" ? 0 : 1;
}
