/** The version of what makes a text's chunks: another one makes other vectors of the same texts. */
export const CHUNKER = 2;
