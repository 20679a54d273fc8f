/**
 * The version of all that decides a row's vectors besides its text and its model: how the text is split. Vectors of
 * another recipe are another generation: a change here needs `npm run reembed`.
 */
export const RECIPE = 1;

/** The width of the vectors where nothing else was asked for. */
export const DEFAULT_DIMENSIONS = 1_536;

export const DEFAULT_MODEL = "text-embedding-3-small";
