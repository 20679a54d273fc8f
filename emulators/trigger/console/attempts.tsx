/** @jsxImportSource hono/jsx */

import { Badge } from "@aftercommit/local-shared/elements/badge.tsx";
import { Section } from "@aftercommit/local-shared/elements/section.tsx";
import { Time } from "@aftercommit/local-shared/elements/time.tsx";
import { formatDuration } from "@aftercommit/local-shared/format/duration.ts";
import type { RunDetails } from "../run-console.ts";
import { RunError } from "./run-error.tsx";

type Attempt = RunDetails["attempts"][number];

export function Attempts({ attempts }: { attempts: Attempt[] }) {
  if (attempts.length === 0) return null;
  return (
    <Section id="attempts" title="Attempts">
      <ol class="attempts">
        {attempts.map((attempt) => (
          <li class="attempt" data-key={`attempt-${attempt.number}`}>
            <div class="line">
              <strong>Attempt {attempt.number}</strong>
              <Outcome attempt={attempt} />
              <span class="muted">
                started <Time at={attempt.startedAt} />, {attempt.finishedAt ? "took" : "for"}{" "}
                {formatDuration((attempt.finishedAt ?? Date.now()) - attempt.startedAt)}
              </span>
            </div>
            {attempt.error && (
              <details>
                <summary>{[attempt.error.name, attempt.error.message].filter(Boolean).join(": ")}</summary>
                <RunError error={attempt.error} />
              </details>
            )}
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Outcome({ attempt }: { attempt: Attempt }) {
  if (attempt.finishedAt === undefined) return <Badge tone="busy">Under way</Badge>;
  return attempt.error ? <Badge tone="bad">Failed</Badge> : <Badge tone="good">Succeeded</Badge>;
}
