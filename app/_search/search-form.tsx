"use client";

import { type ReactNode, useState } from "react";
import { LiveResults } from "./live-results.tsx";
import type { Table } from "./search-results.tsx";
import { useArrowKeys } from "./use-arrow-keys.ts";
import { useLiveSearch } from "./use-live-search.ts";

const MODES = { hybrid: "Words and meaning", words: "Words", meaning: "Meaning" } as const;

type Asked = Readonly<Record<string, string>>;

function Modes({ asked }: { asked: string }) {
  return (
    <fieldset className="modes">
      <legend className="visually-hidden">Search by</legend>
      {Object.entries(MODES).map(([mode, label]) => (
        <label key={mode}>
          <input type="radio" name="mode" value={mode} defaultChecked={mode === asked} />
          {label}
        </label>
      ))}
    </fieldset>
  );
}

function Filters({ filters, asked }: { filters: readonly string[]; asked: Asked }) {
  if (filters.length === 0) return null;
  const used = filters.filter((column) => asked[`where[${column}]`]);
  return (
    <details className="filters" open={used.length > 0}>
      <summary>Filters</summary>
      <div className="fields">
        {filters.map((column) => (
          <label key={column}>
            <span>{column}</span>
            <input name={`where[${column}]`} defaultValue={asked[`where[${column}]`]} autoComplete="off" />
          </label>
        ))}
        <p className="note">
          A value; or a comparison such as <code>&gt;= 2026-01-01</code>; or a range such as{" "}
          <code>2026-01-01 .. 2026-02-01</code>
        </p>
      </div>
    </details>
  );
}

/** `first` is the `rows` of the table that is chosen at first. */
type Props = { asked: Asked; tables: readonly Table[]; first: string; children: ReactNode };

/**
 * The search form, and below it what the server found, or what is found by words while someone types. It is a plain GET
 * form: it works without JavaScript, and every search has an address.
 */
export function SearchForm({ asked, tables, first, children }: Props) {
  const { live, type, clear } = useLiveSearch();
  const [rows, setRows] = useState(first);
  useArrowKeys(clear);
  const tableOf = (name: string | undefined) => tables.find((table) => table.rows === name);
  const { filters = [] } = tableOf(rows) ?? {};
  const ofLive = tableOf(live?.rows ?? first);
  return (
    <>
      <search>
        <form action="/" method="get" onInput={(event) => type(event.currentTarget)}>
          <div className="search">
            <label className="visually-hidden" htmlFor="q">
              Search {rows}
            </label>
            <input
              id="q"
              name="q"
              type="search"
              defaultValue={asked.q}
              maxLength={1000}
              required
              autoComplete="off"
              placeholder={`Search ${rows}`}
            />
            <button type="submit">Search</button>
          </div>
          <div className="search-options">
            <Modes asked={asked.mode ?? "hybrid"} />
            {tables.length > 1 && (
              <select
                name="in"
                aria-label="Table"
                value={rows}
                onChange={({ currentTarget }) => setRows(currentTarget.value)}
              >
                {tables.map((table) => (
                  <option key={table.rows}>{table.rows}</option>
                ))}
              </select>
            )}
            <Filters key={rows} filters={filters} asked={asked} />
          </div>
        </form>
      </search>
      {live && ofLive ? <LiveResults live={live} table={ofLive} /> : children}
    </>
  );
}
