const [QUOTE, BACKSLASH, UNICODE] = [0x22, 0x5c, 0x75];
// Longer than any key of an index (2,704 bytes), and than an e-mail address.
const LONGEST = 4_096;
const HEX_DIGITS = 4;

/**
 * Creates a function that takes the chunks of a JSON text in UTF-8, one after another, and returns them with every
 * string cut after 4,096 bytes. What is JSON stays JSON: it cuts no character and no escape sequence.
 */
export function shortenStrings(): (chunk: Uint8Array) => Uint8Array {
  let isInString = false;
  let isCut = false;
  let length = 0;
  // How many more bytes belong to an escape sequence.
  let escaped = 0;
  let isAfterBackslash = false;

  /** Whether a byte of a string is kept. */
  function keeps(byte: number): boolean {
    if (escaped > 0) {
      escaped -= 1;
      if (isAfterBackslash && byte === UNICODE) escaped = HEX_DIGITS;
      isAfterBackslash = false;
    } else {
      const startsCharacter = (byte & 0xc0) !== 0x80;
      if (byte === QUOTE) {
        isInString = false;
        return true;
      }
      isCut ||= startsCharacter && length >= LONGEST;
      if (byte === BACKSLASH) {
        escaped = 1;
        isAfterBackslash = true;
      }
    }
    length += 1;
    return !isCut;
  }

  return (chunk) => {
    const kept: Uint8Array[] = [];
    let from = 0;
    let wasKept = true;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      let isKept = true;
      if (isInString) isKept = keeps(byte);
      else if (byte === QUOTE) {
        isInString = true;
        isCut = false;
        length = 0;
      }
      if (isKept === wasKept) continue;
      if (isKept) from = at;
      else kept.push(chunk.subarray(from, at));
      wasKept = isKept;
    }
    if (wasKept) kept.push(chunk.subarray(from));
    return kept.length === 1 && kept[0] ? kept[0] : Buffer.concat(kept);
  };
}
