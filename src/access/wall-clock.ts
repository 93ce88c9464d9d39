/** A moment as a clock on a wall shows it: the UTC fields of the date are those of the zone. Not to be changed. */
export type WallClock = Date;

/** What one zone's clocks show, and showed when they were last asked: a review asks for many sessions at one moment. */
type Zone = { readonly format: Intl.DateTimeFormat; moment: number; wall: WallClock };

/** More than there are, and not without end: a zone can come from a token's attribute. */
const mostZones = 1_000;

const zones = new Map<string, Zone>();

/**
 * What a clock shows in a time zone. The CEL library's own functions go by way of the time zone of this process, and are
 * wrong in the hour that it skips in spring, and on the days of its summer.
 * @param name a name of the IANA data base, or an offset such as +01:00, as in CEL's definition
 * @throws RangeError for an unknown zone
 */
export function wallClock(moment: Date, name: string): WallClock {
  const zone = zoneOf(name);
  if (zone.moment === moment.getTime()) return zone.wall;
  const fields = new Map(zone.format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
  const of = (type: Intl.DateTimeFormatPartTypes): number => fields.get(type) ?? Number.NaN;
  const wall = new Date(0);
  wall.setUTCFullYear(of("year"), of("month") - 1, of("day"));
  wall.setUTCHours(of("hour"), of("minute"), of("second"), moment.getUTCMilliseconds());
  zone.moment = moment.getTime();
  zone.wall = wall;
  return wall;
}

/** From 0, as CEL counts days. */
export function dayOfYear(wall: WallClock): number {
  const first = new Date(0);
  first.setUTCFullYear(wall.getUTCFullYear(), 0, 1);
  return Math.floor((wall.getTime() - first.getTime()) / 86_400_000);
}

function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US-u-ca-iso8601", {
    // CEL's offsets may leave out the plus sign.
    timeZone: /^\d\d:\d\d$/.test(name) ? `+${name}` : name,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const zone = { format, moment: Number.NaN, wall: new Date(Number.NaN) };
  if (zones.size < mostZones) zones.set(name, zone);
  return zone;
}
