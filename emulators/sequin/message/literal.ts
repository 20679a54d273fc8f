/** A value as Postgres prints it: text, or null for SQL NULL. */
export type Text = string | null;

/** Splits a composite value's text, `(1,"a ""b""",)`, into its fields. */
export function parseComposite(literal: string): Text[] {
  const fields: Text[] = [];
  let at = 1;
  for (;;) {
    let field: Text = null;
    while (literal[at] !== "," && at < literal.length - 1) {
      const from: number = at;
      field ??= "";
      if (literal[at] === '"') {
        const quoted = readQuoted(literal, at);
        field += quoted.text;
        at = quoted.end;
      } else if (literal[at] === "\\") {
        field += literal[at + 1] ?? "";
        at += 2;
      } else {
        while (at < literal.length - 1 && !'",\\'.includes(literal.charAt(at))) at++;
        field += literal.slice(from, at);
      }
    }
    fields.push(field);
    if (at >= literal.length - 1) return fields;
    at++;
  }
}

/** A possibly nested array of texts. */
export type TextArray = (Text | TextArray)[];

/** Parses an array's text, `{a,"b c",NULL,{…}}`, with or without a `[0:1]=` prefix of bounds. */
export function parseArray(literal: string, delimiter = ","): TextArray {
  let at = literal.indexOf("{");
  const readList = (): TextArray => {
    const items: TextArray = [];
    at++;
    while (at < literal.length && literal[at] !== "}") {
      if (literal[at] === delimiter) at++;
      if (literal[at] === "{") items.push(readList());
      else if (literal[at] === '"') {
        const quoted = readQuoted(literal, at);
        items.push(quoted.text);
        at = quoted.end;
      } else items.push(readBare());
    }
    at++;
    return items;
  };
  const readBare = (): Text => {
    let text = "";
    while (at < literal.length && literal[at] !== delimiter && literal[at] !== "}") {
      if (literal[at] === "\\") at++;
      text += literal[at++] ?? "";
    }
    return text === "NULL" ? null : text;
  };
  return readList();
}

function readQuoted(literal: string, start: number): { text: string; end: number } {
  let text = "";
  let from = start + 1;
  for (let at = from; at < literal.length; at++) {
    if (literal[at] === "\\") {
      text += literal.slice(from, at) + (literal[at + 1] ?? "");
      at++;
      from = at + 1;
    } else if (literal[at] === '"') {
      text += literal.slice(from, at);
      if (literal[at + 1] !== '"') return { text, end: at + 1 };
      at++;
      from = at;
    }
  }
  throw new Error("unterminated quote in a Postgres literal");
}
