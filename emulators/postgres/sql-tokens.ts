export type Token = {
  kind: "word" | "quoted" | "string" | "symbol";
  /** A word is folded to lower case, a quoted identifier is unescaped, a plain string is unescaped. */
  value: string;
  start: number;
  end: number;
  /** Parentheses that are open around the token. */
  depth: number;
};

const skip = /(?:[ \t\r\n\f\v]+|--[^\n\r]*)+/y;
const word = /[A-Za-z_\x80-\uffff][A-Za-z0-9_$\x80-\uffff]*/y;
const quoted = /"[^"]*(?:""[^"]*)*"?/y;
const plainString = /'[^']*(?:''[^']*)*'?/y;
const escapeString = /'[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*'?/y;
const dollarTag = /\$(?:[A-Za-z_\x80-\uffff][A-Za-z0-9_\x80-\uffff]*)?\$/y;
const number = /\.?[0-9][0-9A-Za-z_.]*/y;

function matchAt(pattern: RegExp, sql: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0] ?? null;
}

function blockCommentEnd(sql: string, at: number): number {
  let depth = 0;
  const mark = /\/\*|\*\//g;
  mark.lastIndex = at;
  for (let found = mark.exec(sql); found; found = mark.exec(sql)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return sql.length;
}

/**
 * Splits SQL text into tokens by PostgreSQL's lexical rules (nested comments, E'' and dollar quoting), with
 * `standard_conforming_strings = on`. Unterminated text ends at the end of the input, and Postgres reports the error.
 * Source: PostgreSQL documentation, "Lexical Structure".
 */
export function* tokens(sql: string): Generator<Token> {
  let at = 0;
  let depth = 0;
  while (at < sql.length) {
    const blank = matchAt(skip, sql, at);
    if (blank) {
      at += blank.length;
      continue;
    }
    if (sql.startsWith("/*", at)) {
      at = blockCommentEnd(sql, at);
      continue;
    }
    const start = at;
    const name = matchAt(word, sql, at);
    if (name && sql[at + name.length] === "'" && /^[ebxn]$/i.test(name)) {
      const text = matchAt(/e/i.test(name) ? escapeString : plainString, sql, at + 1) ?? "";
      at += 1 + text.length;
      yield { kind: "string", value: text.slice(1, -1), start, end: at, depth };
      continue;
    }
    if (name) {
      at += name.length;
      yield { kind: "word", value: foldAscii(name), start, end: at, depth };
      continue;
    }
    const identifier = matchAt(quoted, sql, at);
    if (identifier) {
      at += identifier.length;
      yield { kind: "quoted", value: identifier.slice(1, -1).replaceAll('""', '"'), start, end: at, depth };
      continue;
    }
    const literal = matchAt(plainString, sql, at);
    if (literal) {
      at += literal.length;
      yield { kind: "string", value: literal.slice(1, -1).replaceAll("''", "'"), start, end: at, depth };
      continue;
    }
    const tag = matchAt(dollarTag, sql, at);
    if (tag) {
      const close = sql.indexOf(tag, at + tag.length);
      const end = close < 0 ? sql.length : close + tag.length;
      yield { kind: "string", value: sql.slice(at + tag.length, end - tag.length), start, end, depth };
      at = end;
      continue;
    }
    const symbol = matchAt(number, sql, at) ?? sql[at] ?? "";
    at += symbol.length;
    if (symbol === ")") depth = Math.max(0, depth - 1);
    yield { kind: "symbol", value: symbol, start, end: at, depth };
    if (symbol === "(") depth += 1;
  }
}

function foldAscii(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
