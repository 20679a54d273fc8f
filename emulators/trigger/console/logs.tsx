/** @jsxImportSource hono/jsx */

import type { Tone } from "@aftercommit/local-shared/elements/badge.tsx";
import { Section } from "@aftercommit/local-shared/elements/section.tsx";
import { formatDuration } from "@aftercommit/local-shared/format/duration.ts";
import type { RunDetails } from "../run-console.ts";

type Line = RunDetails["logs"][number];

/** What the task logged and measured, each line with the time since the run's start. */
export function Logs({ logs, from }: { logs: Line[]; from: Date | string }) {
  if (logs.length === 0) return null;
  const start = new Date(from).getTime();
  return (
    <Section id="logs" title="Logs and spans">
      <ol class="logs">
        {logs.map((line) => (
          <li class="log" data-tone={toneOf(line)}>
            <span class="offset">+{formatDuration(line.at - start)}</span>
            <span class="level">{line.level.toLowerCase()}</span>
            <span class="message">
              {line.message}
              {line.durationMs !== undefined && <span class="muted"> {formatDuration(line.durationMs)}</span>}
              {Object.keys(line.attributes).length > 0 && <code>{JSON.stringify(line.attributes)}</code>}
            </span>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function toneOf({ level }: Line): Tone | undefined {
  if (/error|fatal/i.test(level)) return "bad";
  if (/warn/i.test(level)) return "waiting";
  return undefined;
}
