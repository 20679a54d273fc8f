const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * Indents JSON text without parsing its values, so that a number above 2^53 or `1.0` stays as it was sent. The text
 * must be JSON.
 */
export function indentJson(text: string): string {
  const tokens = text.match(TOKENS) ?? [];
  let depth = 0;
  let out = "";
  const newLine = () => `\n${"  ".repeat(depth)}`;
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    if (token === "{" || token === "[") {
      const empty = next === "}" || next === "]";
      if (!empty) depth += 1;
      out += empty ? token : token + newLine();
    } else if (token === "}" || token === "]") {
      const empty = tokens[index - 1] === "{" || tokens[index - 1] === "[";
      if (!empty) depth -= 1;
      out += empty ? token : newLine() + token;
    } else if (token === ",") out += token + newLine();
    else if (token === ":") out += ": ";
    else out += token;
  }
  return out;
}
