import { truncateName } from "../../sql/names.ts";

/**
 * The name in a text that the server reads as regclass (SplitIdentifierString in varlena.c): bare parts in lower case,
 * parts in double quotes as they are. Undefined for anything else, an OID included.
 */
export function readName(text: string): { schema: string | undefined; name: string } | undefined {
  const part = /\s*(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*))\s*(\.|$)/uy;
  const parts: string[] = [];
  for (let ended = false; !ended;) {
    const match = part.exec(text);
    if (match === null || parts.length === 2) return undefined;
    const [, quoted, bare = "", separator] = match;
    // Only ASCII letters are folded in a multibyte encoding (scansup.c).
    parts.push(
      truncateName(
        quoted?.replaceAll('""', '"') ?? bare.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()),
      ),
    );
    ended = separator === "";
  }
  return { schema: parts.length === 2 ? parts[0] : undefined, name: parts.at(-1)! };
}
