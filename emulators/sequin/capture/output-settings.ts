/**
 * The settings with which `pgoutput` prints a value, so that a change and its stored text do not depend on the session.
 */
export const OUTPUT_SETTINGS = `set search_path = pg_catalog, pg_temp
  set "TimeZone" = 'UTC'
  set "DateStyle" = 'ISO, MDY'
  set "IntervalStyle" = 'postgres'
  set bytea_output = 'hex'
  set extra_float_digits = 1`;
