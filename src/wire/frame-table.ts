/**
 * What the session wants of one type of message:
 * - `pass`: nothing; its bytes are reported only as part of a run, many messages at once, and it may be of any size;
 * - `head`: its first bytes (that many, or all if it is shorter) in one piece, header included; the rest is streamed.
 *   5 is the header alone;
 * - `whole`: all of it in one piece if it is at most that long, header included; a longer one comes as with `head`,
 *   and the session sees by `rest` that it is not all there.
 * A type that the table does not name is refused.
 */
export type Treatment = "pass" | { readonly head: number } | { readonly whole: number };

/** A row per type byte; built once per state of a conversation. */
export type FrameTable = {
  /** The longest message of the type, type byte included; 0: the type is refused. */
  readonly limits: Uint32Array;
  /** How many of its bytes must be in one piece before it is reported; 0: it is passed over. */
  readonly needs: Uint32Array;
};

/** Type byte and length word. */
export const headerBytes = 5;

/**
 * Builds a table from limits (one of those in limits.ts) and the treatment of each type that is allowed.
 * @throws TypeError for a type without a limit: a mistake in our own tables, found when the module loads
 */
export function frameTable<Type extends string>(
  limits: Readonly<Record<Type, number>>,
  treatments: Readonly<Partial<Record<Type, Treatment>>>,
): FrameTable {
  const table = { limits: new Uint32Array(256), needs: new Uint32Array(256) };
  for (const [type, treatment] of Object.entries<Treatment | undefined>(treatments)) {
    const limit: number | undefined = limits[type as Type];
    if (treatment === undefined) continue;
    if (limit === undefined || type.length !== 1) throw new TypeError(`no limit for message type ${type}`);
    const code = type.charCodeAt(0);
    table.limits[code] = limit;
    if (treatment === "pass") continue;
    const bytes = "whole" in treatment ? treatment.whole : treatment.head;
    table.needs[code] = Math.max(headerBytes, bytes);
  }
  return table;
}
