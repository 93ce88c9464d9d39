import { isThisMachine } from "./loopback.ts";

export type FetchableUrl =
  | { readonly kind: "url"; readonly url: URL }
  /** In the words of a configuration problem; holds nothing of the text. */
  | { readonly kind: "refused"; readonly found: string };

/**
 * A URL that keys may be fetched from: https, or http on this machine. Whoever is on the way of any other plaintext fetch
 * can answer with keys of their own, and then be anyone.
 */
export function fetchableUrl(text: string): FetchableUrl {
  const url = URL.parse(text);
  if (url === null) return { kind: "refused", found: "no URL" };
  const safe = url.protocol === "https:" || (url.protocol === "http:" && isLocal(url.hostname));
  if (!safe) return { kind: "refused", found: "a URL that is not https" };
  if (url.username !== "" || url.password !== "")
    return { kind: "refused", found: "a URL with a user or password" };
  return { kind: "url", url };
}

function isLocal(hostname: string): boolean {
  return isThisMachine(hostname.replace(/^\[|\]$/g, ""));
}
