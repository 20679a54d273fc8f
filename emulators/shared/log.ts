/** Logs one line of a part of the local stack, without its name and without a line break. */
export type Log = (line: string) => void;
