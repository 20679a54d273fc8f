import { z } from "zod";

const RANGE: Readonly<Record<string, bigint>> = {
  smallint: 2n ** 15n,
  integer: 2n ** 31n,
  bigint: 2n ** 63n,
};

/** Why a text is no key of a Postgres type; undefined when it is one. */
export function keyProblem(text: string, type: string): string | undefined {
  const range = RANGE[type];
  if (range !== undefined) {
    if (!/^-?\d{1,19}$/.test(text)) return `must be a ${type}`;
    const id = BigInt(text);
    return id >= range || id < -range ? `is out of ${type}'s range` : undefined;
  }
  if (type === "uuid") return z.guid().safeParse(text).success ? undefined : "must be a uuid";
  return text.length <= 100 ? undefined : "is longer than 100 characters";
}
