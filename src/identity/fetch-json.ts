/** As `fetch`: an argument, so that tests need no network. */
export type Fetch = (url: string, options: RequestInit) => Promise<Response>;

/** A key set or an issuer's configuration has some kilobytes; more than this, in bytes, is none. */
const maxBytes = 1_048_576;

/** Why a document could not be had, in our words: what a server sends may say anything. */
export class FetchRefused extends Error {}

/**
 * A JSON document at a URL. Redirects are not followed: they could lead to where nobody meant keys to come from.
 * @throws FetchRefused; the error of `fetch` or of the signal
 */
export async function fetchJson(url: string, signal: AbortSignal, fetch: Fetch): Promise<unknown> {
  const response = await fetch(url, {
    method: "GET",
    redirect: "manual",
    headers: { accept: "application/json" },
    signal,
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new FetchRefused(`status ${response.status} instead of 200`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new FetchRefused(`a document of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new FetchRefused("a document that is not JSON");
  }
}
