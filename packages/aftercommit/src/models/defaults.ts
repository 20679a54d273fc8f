/** The model of a new database, unless EMBEDDING_MODEL names another. */
export const DEFAULT_MODEL = "text-embedding-3-small";
export const DEFAULT_DIMENSIONS = 1_536;

/** The version of what makes a text's chunks: another one makes other vectors of the same texts. */
export const CHUNKER = 2;
