import * as z from "zod";

const expected = "a duration such as 500ms, 30s, 5min or 1h";

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };

/** The most that the server takes for a timeout, and that a timer of Node takes (2^31 - 1 milliseconds). */
const most = 2_147_483_647;

/** `30s` → 30000. A bare number is refused: to one reader it is seconds, to the server milliseconds. */
export const duration = z
  .string({ error: expected })
  .regex(/^[1-9][0-9]{0,9}(ms|s|min|h)$/, { error: expected })
  .transform(
    (value) => Number.parseInt(value, 10) * (milliseconds[value.replace(/^[0-9]+/, "")] ?? Number.NaN),
  )
  .refine((value) => value <= most, { error: `${expected}, at most 24 days` });
