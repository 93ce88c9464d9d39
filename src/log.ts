import {
  type DestinationStream,
  type Logger,
  type LevelWithSilent,
  destination,
  pino,
  stdTimeFunctions,
} from "pino";

export type { Logger } from "pino";

/**
 * Keys whose value never reaches the log, at the top and one level down: secrets, and text of statements, which
 * holds people's data and belongs on the record alone.
 */
const secretKeys =
  "password secret token verifier authorization key connectionString sql text query sent parameters values".split(
    " ",
  );

/**
 * The operational log: one JSON object a line, for standard error unless a destination is given. It says what
 * rolegate itself does; statements are on the record (src/audit), never here.
 */
export function createLogger(level: LevelWithSilent, stream: DestinationStream = destination(2)): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: "[redacted]" },
      serializers: { err: (error: unknown) => describe(error, 3) },
    },
    stream,
  );
}

type ErrorDescription = {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
};

/**
 * Only these fields: an error of the pg package also carries the row, the statement or the expression that the
 * server complained about.
 */
function describe(error: unknown, depth: number): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error, message: withoutPasswords(String(error)) };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: withoutPasswords(error.message),
    ...(typeof code === "string" ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: withoutPasswords(error.stack) }),
    ...(error.cause === undefined || depth === 0 ? {} : { cause: describe(error.cause, depth - 1) }),
  };
}

/** A connection URL in an error's message loses its user and password. */
function withoutPasswords(text: string): string {
  return text.replace(/\/\/[^/\s]*@/g, "//[redacted]@");
}
