const unitMillis: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const iso = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * A moment as a person writes it: `15m` (ago; s, m, h, d, w), `2026-01-31`, `2026-01-31 12:00`, with a zone or in
 * UTC, as the record is. Returns it as the record has it, or undefined if it is none of these.
 * @param now milliseconds since the epoch
 */
export function parseTime(text: string, now: number): string | undefined {
  const ago = /^(\d{1,9})([smhdw])$/.exec(text);
  const millis = ago ? now - Number(ago[1]) * (unitMillis[ago[2] ?? ""] ?? NaN) : parseIso(text);
  const date = new Date(millis);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function parseIso(text: string): number {
  const match = iso.exec(text);
  if (!match) return NaN;
  // A date alone is midnight in UTC; a time without a zone would be read as local.
  const zoned = text.length === 10 || match[1] !== undefined ? text : `${text}Z`;
  return Date.parse(zoned.replace(" ", "T"));
}
