import {
  type CodePoints,
  isIn,
  leftToRight,
  mappedToNothing,
  nonAsciiSpaces,
  prohibitedOutput,
  rightToLeft,
  unassigned,
} from "./stringprep-tables.ts";

/**
 * A password as PostgreSQL and its clients prepare it for SCRAM: SASLprep (RFC 4013), and the password unchanged where
 * SASLprep would refuse it (RFC 5802 leaves no other way to use a password that is not text).
 *
 * As PostgreSQL's saslprep.c, and unlike RFC 3454, the characters are checked before normalisation: a password must
 * give the same key here as in libpq.
 */
export function saslprep(password: string): string {
  // Printable or not: PostgreSQL leaves every ASCII password alone.
  if (!/[^\0-\x7f]/.test(password)) return password;
  const mapped: number[] = [];
  for (const character of password) {
    const code = character.codePointAt(0)!;
    if (isIn(nonAsciiSpaces, code)) mapped.push(0x20);
    else if (!isIn(mappedToNothing, code)) mapped.push(code);
  }
  if (mapped.length === 0 || hasAny(mapped, prohibitedOutput) || hasAny(mapped, unassigned)) return password;
  if (hasAny(mapped, rightToLeft) && !isRightToLeftText(mapped)) return password;
  return mapped
    .map((code) => String.fromCodePoint(code))
    .join("")
    .normalize("NFKC");
}

/** RFC 3454, section 6, requirements 2 and 3. */
function isRightToLeftText(codes: readonly number[]): boolean {
  return !hasAny(codes, leftToRight) && isIn(rightToLeft, codes[0]!) && isIn(rightToLeft, codes.at(-1)!);
}

function hasAny(codes: readonly number[], set: CodePoints): boolean {
  return codes.some((code) => isIn(set, code));
}
