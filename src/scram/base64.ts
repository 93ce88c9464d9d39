/**
 * The bytes of a base64 text; undefined unless the text is exactly what encoding those bytes gives, padding included.
 * Node's own decoder skips what it does not know, so that many texts would stand for one secret.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}
