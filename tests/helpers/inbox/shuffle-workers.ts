import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Client } from "pg";
import { until } from "../until.ts";
import { startProvider } from "./shuffle-provider.ts";

type Mode = "batch" | "realtime";
type Process = { name: string; mode: Mode; child: ChildProcess };

const runner = new URL("../../../scripts/run.mjs", import.meta.url);
const NO_LIMIT = "1000000000";

// The owner of each lease.
const NOTE_LEASES = `
create table leases (token uuid primary key, worker text);
create function note_lease() returns trigger language plpgsql as $$ begin
  insert into public.leases values (new.lease, current_setting('application_name')) on conflict do nothing;
  return new;
end $$;
create trigger note_lease before update on aftercommit.pending for each row
  when (new.lease is not null) execute function note_lease();`;

/** Workers that are processes. Some are killed with -9 while the provider works for them. */
export class Workers {
  readonly asks: { worker: string; texts: readonly string[] }[] = [];
  readonly killed = new Set<string>();
  /** Texts that a killed worker had requested and not written. */
  readonly lost: string[] = [];
  readonly #url: string;
  readonly #watcher: Client;
  readonly #mayKill: () => boolean;
  #processes: Process[] = [];
  #started = 0;
  #provider: Awaited<ReturnType<typeof startProvider>> | undefined;
  readonly #doomed = new Set<string>();
  #replacing: Promise<unknown> = Promise.resolve();

  constructor(url: string, watcher: Client, mayKill: () => boolean) {
    this.#url = url;
    this.#watcher = watcher;
    this.#mayKill = mayKill;
  }

  async start(modes: readonly Mode[]): Promise<void> {
    await this.#watcher.query(NOTE_LEASES);
    this.#provider = await startProvider({
      asked: (worker, texts) => {
        this.asks.push({ worker, texts });
        if (!this.#mayKill()) return;
        if (this.#doomed.size % 2 === 0) this.#kill(worker);
        this.#doomed.add(worker);
      },
      // It dies on its way to the database.
      answered: (worker) => this.#doomed.has(worker) && this.#kill(worker),
    });
    for (const mode of modes) this.#spawn(mode);
  }

  #spawn(mode: Mode): void {
    this.#started += 1;
    const name = `worker-${this.#started}`;
    const child = fork(runner, ["tests/helpers/inbox/shuffle-worker.ts", mode], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env: {
        ...process.env,
        DATABASE_URL: `${this.#url}?application_name=${name}`,
        OPENAI_BASE_URL: this.#provider?.url,
        OPENAI_API_KEY: name,
        EMBEDDING_TOKENS_PER_MINUTE: NO_LIMIT,
        EMBEDDING_REQUESTS_PER_MINUTE: NO_LIMIT,
      },
    });
    this.#processes.push({ name, mode, child });
  }

  #kill(worker: string): void {
    const process = this.#processes.find(({ name }) => name === worker);
    if (!process || this.killed.has(worker)) return;
    this.killed.add(worker);
    this.#processes = this.#processes.filter((other) => other !== process);
    process.child.kill("SIGKILL");
    this.#replacing = Promise.all([this.#replacing, this.#replace(process)]);
  }

  /** While its lease lasts, no one would work on its rows, so this ends it as soon as the process has ended. */
  async #replace({ name, mode }: Process): Promise<void> {
    this.#spawn(mode);
    const sessions = "select from pg_stat_activity where application_name = $1";
    await until(async () => (await this.#watcher.query(sessions, [name])).rowCount === 0, {
      what: `end of the sessions of ${name}`,
    });
    const { rows } = await this.#watcher.query(
      // In the order in which the inbox locks its rows.
      `with dead as materialized (
         select p.source, p.row_id from aftercommit.pending p join leases l on p.lease = l.token
         where l.worker = $1 order by p.source, p.row_id for update of p
       )
       update aftercommit.pending p set next_attempt = clock_timestamp() from dead d
       where p.source = d.source and p.row_id = d.row_id returning p.row_id`,
      [name],
    );
    const texts = this.asks.flatMap((ask) => (ask.worker === name ? ask.texts : []));
    for (const { row_id } of rows)
      this.lost.push(...texts.filter((text) => text.startsWith(`row ${row_id},`)).slice(-1));
  }

  /** Has one of the processes work on a row, like the run of an edit. */
  tell(row: string, chance: number): void {
    const those = this.#processes.filter(({ mode, child }) => mode === "realtime" && child.connected);
    those[Math.floor(chance * those.length)]?.child.send(row);
  }

  /** Lets every process finish. Rejects if one failed. */
  async stop(): Promise<void> {
    await this.#replacing;
    for (const { name, child } of this.#processes) {
      const exited = once(child, "exit");
      child.send("stop");
      const [code] = await exited;
      if (code !== 0) throw new Error(`${name} ended with ${code}`);
    }
    await this.#provider?.close();
  }
}
