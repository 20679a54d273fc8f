/** The version of the chunker: another version makes other vectors of the same texts. */
export const CHUNKER = 2;
