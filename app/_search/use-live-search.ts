import type { SearchPage } from "aftercommit";
import { useEffect, useRef, useState } from "react";
import { searchParameters } from "./parameters.ts";

const PAUSE_MS = 150;

/** The results of a search by words, or its error message. `rows` names the table, if the form has several. */
export type Live = { q: string; rows: string | undefined; page?: SearchPage; error?: string };

/** The last word may not be complete yet. */
const withPrefix = (q: string) => (/[\p{L}\p{N}]$/u.test(q) ? `${q}*` : q);

async function searchByWords(form: HTMLFormElement, signal: AbortSignal): Promise<Live | undefined> {
  const parameters = searchParameters(new FormData(form));
  const q = parameters.get("q");
  if (q === null) return undefined;
  const of = { q, rows: parameters.get("in") ?? undefined };
  parameters.set("q", withPrefix(q));
  parameters.set("mode", "words");
  const response = await fetch(`/api/search?${parameters}`, { signal });
  const body = await response.json();
  return response.ok ? { ...of, page: body } : { ...of, error: body.error };
}

/** Searches by words shortly after each change of a form. A newer search aborts the older one. */
export function useLiveSearch() {
  const [live, setLive] = useState<Live>();
  const current = useRef<AbortController>(null);
  const clear = () => {
    current.current?.abort();
    setLive(undefined);
  };
  const type = (form: HTMLFormElement) => {
    current.current?.abort();
    const request = new AbortController();
    current.current = request;
    setTimeout(async () => {
      if (request.signal.aborted) return;
      try {
        setLive(await searchByWords(form, request.signal));
      } catch {
        // The server does not answer, or a newer search has begun.
        if (!request.signal.aborted) setLive(undefined);
      }
    }, PAUSE_MS);
  };
  useEffect(() => () => current.current?.abort(), []);
  return { live, type, clear };
}
