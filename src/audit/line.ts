/** A line of the record as it was read: what the joining and the printing rely on is checked, the rest is not. */
export type RecordLine =
  | (Fields & {
      readonly event: "statement";
      readonly session: string;
      readonly id: number;
      readonly sql: string;
      /** It never reached the database; nothing completes it. */
      readonly refused: boolean;
    })
  | (Fields & { readonly event: "completion"; readonly session: string; readonly id: number })
  | (Fields & { readonly event: "session end"; readonly session: string })
  /** Any other event, also of a newer rolegate. */
  | (Fields & { readonly event: "other"; readonly name: string });

export type StatementLine = Extract<RecordLine, { event: "statement" }>;
export type CompletionLine = Extract<RecordLine, { event: "completion" }>;

type Fields = {
  readonly time: string;
  /** The whole object. Anyone who can write the file chose these values. */
  readonly fields: Readonly<Record<string, unknown>>;
};

/** The line that the text holds; undefined if it is torn or not a line of the record. */
export function parseLine(text: string): RecordLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const fields = value as Record<string, unknown>;
  const { time, event, session, id, sql } = fields;
  if (typeof time !== "string" || typeof event !== "string") return undefined;
  switch (event) {
    case "statement":
      if (typeof session !== "string" || typeof id !== "number" || typeof sql !== "string") return undefined;
      return { event, time, session, id, sql, refused: fields["verdict"] === "refuse", fields };
    case "completion":
      if (typeof session !== "string" || typeof id !== "number") return undefined;
      return { event, time, session, id, fields };
    case "session end":
      if (typeof session !== "string") return undefined;
      return { event, time, session, fields };
  }
  return { event: "other", name: event, time, fields };
}
