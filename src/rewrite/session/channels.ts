/**
 * May a channel be listened on or notified?
 * @param patterns names as the role file lists them; `*` at the end matches any rest.
 */
export function channelAllowed(channel: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? channel.startsWith(pattern.slice(0, -1)) : channel === pattern,
  );
}
