/**
 * Formats of strings in JSON Schema, as patterns.
 *
 * Source: RFC 3339 for dates and times (without leap days and leap seconds, so that every text is a
 * valid one), RFC 9562 for UUIDs; `email` is a plain subset of RFC 5321.
 * @module
 */

const DATE = '\\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])|' +
  '(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)';
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)';
const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';

export const FORMATS: Readonly<Record<string, string>> = {
  'date': `^${DATE}$`,
  'time': `^${TIME}$`,
  'date-time': `^${DATE}T${TIME}$`,
  'uuid': '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  'ipv4': `^(?:${BYTE}\\.){3}${BYTE}$`,
  'email': '^[a-z0-9_+-]{1,32}(?:\\.[a-z0-9_+-]{1,32}){0,3}@(?:[a-z0-9]{1,32}\\.){1,3}[a-z]{2,16}$',
};
