const DIGITS = "(?<![\\d.eE+-])-?\\d{16,}(?![\\d.eE])";
const INTEGER = new RegExp(DIGITS);
const INTEGERS = new RegExp(DIGITS, "g");
const exact = (digits: string) => (Number.isSafeInteger(Number(digits)) ? digits : `"${digits}"`);

/** Where a JSON string ends that begins at a quote. */
function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
  }
}

/** Valid JSON, with integers beyond 2^53 as strings. */
function withExactIntegers(text: string): string {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    const next = quote === -1 ? end : endOfString(text, quote);
    parts.push(text.slice(at, end).replaceAll(INTEGERS, exact), text.slice(end, next));
    at = next;
  }
  return parts.join("");
}

/**
 * Parses JSON, with integers beyond 2^53 as strings: as numbers, they would lose digits, and keys may be that large.
 * @throws {SyntaxError} if it is not JSON
 */
export function parseJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  return INTEGER.test(text) ? JSON.parse(withExactIntegers(text)) : parsed;
}
