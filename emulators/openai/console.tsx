/** @jsxImportSource hono/jsx */
import { absentPages } from "@aftercommit/local-shared/absent-pages.tsx";
import { Card, Figure } from "@aftercommit/local-shared/elements/card.tsx";
import { Last } from "@aftercommit/local-shared/elements/last.tsx";
import type { Pages, RealService } from "@aftercommit/local-shared/part.ts";
import { Hono } from "hono";
import type { Calls } from "./calls.ts";

const name = "Embeddings";

/** Only a card: requests are counted, and their contents are not kept. */
export function embeddingPages(stats: Calls["stats"]): Pages {
  return { paths: [], routes: new Hono(), card: () => <Embeddings {...stats()} /> };
}

export const absentEmbeddingPages = (service?: RealService): Pages => absentPages({ name, service });

function Embeddings({ calls, tokens, failures, last: [last] }: ReturnType<Calls["stats"]>) {
  return (
    <Card name={name}>
      <Figure value={calls} unit={calls === 1 ? "call" : "calls"} />
      <p class="muted">
        {tokens.toLocaleString("en")} {tokens === 1 ? "token" : "tokens"}, {failures} failed since the start
      </p>
      <Last at={last?.at} />
    </Card>
  );
}
