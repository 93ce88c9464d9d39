/** What an identity's name may be, in words. */
export const identityNameExpected = "1 to 255 bytes of printable text without space at either end";

/**
 * True for a name that can stand in a log line, a record and a server setting without being mistaken for another:
 * no control, format (bidirectional override, zero width), private-use or unassigned characters, no line separators.
 */
export function isIdentityName(name: string): boolean {
  return /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(name) && name.trim() === name && Buffer.byteLength(name) <= 255;
}
