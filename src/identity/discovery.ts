import { fetchableUrl } from "./fetchable-url.ts";
import { type Fetch, fetchJson, FetchRefused } from "./fetch-json.ts";

/**
 * Where an issuer says what it is (OpenID Connect Discovery 1.0, section 4: a slash at the issuer's end is taken off);
 * undefined for an issuer that is no URL to fetch from, or has a query or fragment.
 */
export function configurationUrl(issuer: string): string | undefined {
  const fetchable = fetchableUrl(issuer);
  if (fetchable.kind === "refused" || /[?#]/.test(issuer)) return undefined;
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

/**
 * Where the issuer's keys are, by its own word.
 * @throws FetchRefused for a document that is another issuer's (section 4.3: the two must be the same, or one issuer could
 *   speak for another), or names no place that keys may come from; and as `fetchJson`
 */
export async function discoverKeySet(issuer: string, signal: AbortSignal, fetch: Fetch): Promise<string> {
  const url = configurationUrl(issuer);
  if (url === undefined) throw new FetchRefused("an issuer that is no https:// URL");
  const document = await fetchJson(url, signal, fetch);
  if (typeof document !== "object" || document === null || !("issuer" in document && "jwks_uri" in document))
    throw new FetchRefused("a configuration without issuer and jwks_uri");
  if (document.issuer !== issuer) throw new FetchRefused("the configuration of another issuer");
  const keys = fetchableUrl(String(document.jwks_uri));
  if (keys.kind === "refused") throw new FetchRefused(`a jwks_uri that is ${keys.found}`);
  // An issuer elsewhere cannot send us to a server of this machine without TLS.
  if (keys.url.protocol === "http:" && !issuer.startsWith("http:"))
    throw new FetchRefused("a jwks_uri that is a URL that is not https");
  return keys.url.href;
}
