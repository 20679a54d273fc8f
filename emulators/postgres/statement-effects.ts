import { type Token, tokens } from "./sql-tokens.ts";

type NamedAt = { name: string; start: number; end: number };

/** What a statement does to the session beyond its own transaction, as far as its text shows. */
export type Effect =
  | { kind: "unsupported-copy"; what: "COPY FROM STDIN" | "COPY PROGRAM" }
  | { kind: "listen"; channel: string }
  | { kind: "unlisten"; channel: string | null }
  | ({ kind: "prepare"; statementStart: number; statementEnd: number } & NamedAt)
  | ({ kind: "execute" } & NamedAt)
  | ({ kind: "deallocate" } & NamedAt)
  | { kind: "deallocate-all" }
  | { kind: "discard-all" }
  | { kind: "setting"; name: string | null };

const worthReading = /copy|listen|prepare|execute|deallocate|discard|reset|set_config|^\s*set|[;/-]\s*set/i;

/**
 * Reads the effects of every statement in SQL text, in order. Words in literals, comments and quoted identifiers
 * do not count. The text is Latin-1 decoded bytes, so offsets are byte offsets.
 */
export function effectsOf(sql: string): Effect[] {
  if (!worthReading.test(sql)) return [];
  const effects: Effect[] = [];
  let statement: Token[] = [];
  for (const token of tokens(sql)) {
    if (token.kind === "symbol" && token.value === ";" && token.depth === 0) {
      effects.push(...effectsOfStatement(statement));
      statement = [];
    } else statement.push(token);
  }
  effects.push(...effectsOfStatement(statement));
  return effects;
}

function effectsOfStatement(statement: Token[]): Effect[] {
  const [first, second, third] = statement;
  const last = statement.at(-1);
  if (!first || !last || first.kind !== "word") return [];
  const isWord = (token: Token | undefined, ...values: string[]) =>
    token?.kind === "word" && values.includes(token.value);
  const named = (token: Token | undefined): NamedAt[] =>
    token && (token.kind === "word" || token.kind === "quoted")
      ? [
          {
            name: Buffer.from(token.value, "latin1").subarray(0, 63).toString("latin1"),
            start: token.start,
            end: token.end,
          },
        ]
      : [];

  switch (first.value) {
    case "copy": {
      const at = statement.findIndex((token) => token.depth === 0 && isWord(token, "from", "to"));
      const direction = statement[at]?.value;
      const other = statement[at + 1];
      if (isWord(other, "program")) return [{ kind: "unsupported-copy", what: "COPY PROGRAM" }];
      const fromClient = direction === "from" && isWord(other, "stdin", "stdout");
      return fromClient ? [{ kind: "unsupported-copy", what: "COPY FROM STDIN" }] : [];
    }
    case "listen":
      return named(second).map(({ name }) => ({ kind: "listen", channel: name }));
    case "unlisten":
      if (second?.value === "*" && second.kind === "symbol") return [{ kind: "unlisten", channel: null }];
      return named(second).map(({ name }) => ({ kind: "unlisten", channel: name }));
    case "prepare":
      if (third?.kind === "string") return [];
      return named(second).map((at) => ({
        kind: "prepare",
        ...at,
        statementStart: first.start,
        statementEnd: last.end,
      }));
    case "execute":
      return named(second).map((at) => ({ kind: "execute", ...at }));
    case "deallocate": {
      const target = isWord(second, "prepare") && third ? third : second;
      if (isWord(target, "all")) return [{ kind: "deallocate-all" }];
      return named(target).map((at) => ({ kind: "deallocate", ...at }));
    }
    case "explain":
    case "create": {
      const at = statement.findIndex(
        (token, index) =>
          token.depth === 0 &&
          isWord(token, "execute") &&
          (first.value === "explain" || isWord(statement[index - 1], "as")),
      );
      return at < 0 ? [] : named(statement[at + 1]).map((name) => ({ kind: "execute", ...name }));
    }
    case "discard":
      return isWord(second, "all") ? [{ kind: "discard-all" }] : [];
    case "reset":
      return [{ kind: "setting", name: null }];
    case "set": {
      if (isWord(second, "local", "transaction", "constraints")) return [];
      const from = isWord(second, "session") ? 2 : 1;
      const dotted = statement[from + 1]?.value === ".";
      const parts = dotted ? [statement[from], statement[from + 2]] : [];
      const name = parts.map((part) => part?.value ?? "").join(".");
      return [{ kind: "setting", name: dotted ? name : null }];
    }
    default:
      return statement.flatMap((token, index) => {
        if (!isWord(token, "set_config")) return [];
        const argument = statement[index + 2];
        const custom = argument?.kind === "string" && argument.value.includes(".");
        return [{ kind: "setting", name: custom ? argument.value.toLowerCase() : null } as const];
      });
  }
}
