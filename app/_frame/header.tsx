import type { ReactNode } from "react";

export function Header({ children }: { children?: ReactNode }) {
  return (
    <header>
      <a className="brand" href="/">
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
          <path d="M3 16h8m10 0h8" />
          <circle cx="16" cy="16" r="5" />
        </svg>
        Aftercommit
      </a>
      {children}
    </header>
  );
}
