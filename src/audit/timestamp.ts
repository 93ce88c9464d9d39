const millisecondsOfSecond = Array.from({ length: 1000 }, (_, n) => `${String(n).padStart(3, "0")}Z`);

const dayMillis = 86_400_000;

/** When the UTC day of a time begins; both in milliseconds since the epoch, which has no leap seconds. */
export function startOfDay(millis: number): number {
  return millis - (millis % dayMillis);
}

/** The UTC day of a time in milliseconds since the epoch, as `2026-01-31`. */
export function utcDay(millis: number): string {
  return new Date(millis).toISOString().slice(0, 10);
}

/**
 * A function from milliseconds since the epoch to ISO 8601 in UTC (`2026-01-31T12:00:00.000Z`). Formatting a date
 * costs more than all the rest of a line, so the part down to the second is kept until the second changes.
 */
export function isoClock(): (millis: number) => string {
  let second = NaN;
  let prefix = "";
  let last = NaN;
  let text = "";
  return (millis) => {
    if (millis === last) return text;
    const rest = millis % 1000;
    if (millis - rest !== second) {
      second = millis - rest;
      prefix = new Date(millis).toISOString().slice(0, 20);
    }
    last = millis;
    text = prefix + millisecondsOfSecond[rest];
    return text;
  };
}
