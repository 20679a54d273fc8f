import { indexedLexemes } from "../words/compounds.ts";
import { type Lexicon, wordsOf } from "../words/lexemes.ts";
import type { Term } from "./word-query.ts";

const LENGTH = 300;
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);

type Span = { start: number; end: number };

const hasLexeme = (terms: readonly Term[]) => {
  const exact = new Set(terms.filter(({ isPrefix }) => !isPrefix).map(({ lexeme }) => lexeme));
  const prefixes = terms.filter(({ isPrefix }) => isPrefix).map(({ lexeme }) => lexeme);
  return (lexeme: string) => exact.has(lexeme) || prefixes.some((prefix) => lexeme.startsWith(prefix));
};

/** The words of a text that a query has, joined where pairs of characters overlap. */
function spansOf(text: string, terms: readonly Term[], lexicon: Lexicon): Span[] {
  const isFound = hasLexeme(terms);
  const spans: Span[] = [];
  for (const word of wordsOf(text, lexicon)) {
    if (!indexedLexemes(word, lexicon).some(isFound)) continue;
    const { start, end } = word;
    const last = spans.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else spans.push({ start, end });
  }
  return spans;
}

/** Where the part begins that has the most matches, a little before the first of them. */
function beginningOf(text: string, spans: readonly Span[]): number {
  if (text.length <= LENGTH) return 0;
  const within = ({ start }: Span) =>
    spans.filter((span) => span.start >= start && span.end <= start + LENGTH).length;
  let best: Span | undefined;
  let most = 0;
  for (const span of spans) {
    const count = within(span);
    if (count > most) [best, most] = [span, count];
  }
  if (!best || best.end <= LENGTH) return 0;
  const from = Math.max(0, best.start - LENGTH / 5);
  const space = text.slice(from, best.start).search(/\s/);
  return space === -1 ? best.start : from + space + 1;
}

/**
 * An excerpt of about 300 characters around most of the words of a query, as HTML: escaped, with each of them in a
 * `<mark>`.
 */
export function highlight(text: string, terms: readonly Term[], lexicon: Lexicon): string {
  const spans = spansOf(text, terms, lexicon);
  const from = beginningOf(text, spans);
  const isCut = text.length > from + LENGTH;
  const upTo = isCut ? Math.max(from + 1, text.slice(0, from + LENGTH).search(/\s\S*$/)) : text.length;
  let html = from > 0 ? "… " : "";
  let at = from;
  for (const { start, end } of spans.filter((span) => span.start >= from && span.end <= upTo)) {
    html += `${escapeHtml(text.slice(at, start))}<mark>${escapeHtml(text.slice(start, end))}</mark>`;
    at = end;
  }
  return html + escapeHtml(text.slice(at, upTo)) + (isCut ? " …" : "");
}
