"use client";

import { useRouter } from "next/navigation";
import { useEffect, useRef, useState } from "react";

const EVERY_MS = 2_000;
const AFTER_TYPING_MS = 5_000;

const hasSelection = () => document.getSelection()?.isCollapsed === false;

// If a refresh finds no server, Next.js leaves the page for the browser's error page. So this checks the server first.
async function serverAnswers(): Promise<boolean> {
  try {
    await fetch("/api/health", { signal: AbortSignal.timeout(5_000) });
    return true;
  } catch {
    return false;
  }
}

/** Keeps the page up to date while someone looks at it and does not type or select. It can be switched off. */
export function Refresh() {
  const router = useRouter();
  const [state, setState] = useState<"unknown" | "live" | "paused" | "lost">("unknown");
  const typedAt = useRef(0);
  const paused = state === "paused";

  useEffect(() => {
    if (paused) return;
    setState((now) => (now === "unknown" ? "live" : now));
    const typed = () => {
      typedAt.current = Date.now();
    };
    document.addEventListener("input", typed);
    let timer: ReturnType<typeof setTimeout>;
    let stopped = false;
    const tick = async () => {
      const busy =
        document.visibilityState === "hidden" ||
        Date.now() - typedAt.current < AFTER_TYPING_MS ||
        hasSelection();
      if (!busy) {
        const answers = await serverAnswers();
        if (stopped) return;
        setState(answers ? "live" : "lost");
        if (answers) router.refresh();
      }
      timer = setTimeout(() => void tick(), EVERY_MS);
    };
    timer = setTimeout(() => void tick(), EVERY_MS);
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("input", typed);
    };
  }, [router, paused]);

  return (
    <div className="refresh" data-state={state}>
      <span className="refresh-state">
        {state === "lost" ? "No connection; trying again" : paused ? "Paused" : "Live"}
      </span>
      <button
        type="button"
        className="quiet"
        aria-pressed={paused}
        onClick={() => setState(paused ? "live" : "paused")}
      >
        Pause<span className="visually-hidden"> updates</span>
      </button>
    </div>
  );
}
