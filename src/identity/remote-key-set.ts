import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";
import { configurationUrl, discoverKeySet } from "./discovery.ts";
import { type Fetch, fetchJson, FetchRefused } from "./fetch-json.ts";
import type { KeySet, KeySetEvent } from "./key-set.ts";

/** Where an issuer's keys are: at a URL, or where the issuer's own configuration says. */
export type KeyLocation =
  | { readonly kind: "url"; readonly url: URL }
  | { readonly kind: "discovery"; readonly issuer: string };

/** A slow issuer must not hold up log-ins for longer than this, in milliseconds, discovery included. */
const fetchTimeout = 5000;
/** An unknown `kid` causes a fetch; anyone can send one, so at most one fetch in this time, in milliseconds. */
const cooldown = 30_000;
/** How long keys are believed without being fetched again, and so a key that the issuer has withdrawn, in milliseconds. */
export const cacheMaxAge = 10 * 60_000;
/** When to try again after a fetch that failed, in milliseconds: soon where there are no keys, and nobody can log in. */
const retry = { withKeys: 30_000, without: 5000 } as const;

/**
 * The keys at a URL, fetched when first needed, then kept. While they cannot be fetched again, those that were fetched last
 * are believed for some time; then each look-up throws: no keys, no log-in.
 * @param lastKeysFor milliseconds, from when they were fetched
 */
export function remoteKeySet(
  location: KeyLocation,
  { lastKeysFor, fetch = globalThis.fetch }: { readonly lastKeysFor: number; readonly fetch?: Fetch },
): KeySet {
  let observer: ((event: KeySetEvent) => void) | undefined;
  let last: { readonly keys: JWTVerifyGetKey; readonly at: number } | undefined;
  let failed: { readonly error: unknown; readonly at: number } | undefined;
  const believed = (): JWTVerifyGetKey | undefined =>
    last !== undefined && within(last.at, lastKeysFor) ? last.keys : undefined;

  const load = async (signal: AbortSignal): Promise<Response> => {
    if (failed !== undefined && within(failed.at, believed() === undefined ? retry.without : retry.withKeys))
      throw failed.error;
    try {
      const document = await fetchKeys(location, signal, fetch);
      last = { keys: createLocalJWKSet(document), at: Date.now() };
      failed = undefined;
      observer?.({ kind: "fetched" });
      return Response.json(document);
    } catch (error) {
      failed = { error, at: Date.now() };
      observer?.({ kind: "failed", reason: reasonOf(error), lastKeys: believed() !== undefined });
      throw error;
    }
  };
  const remote = createRemoteJWKSet(firstUrl(location), {
    timeoutDuration: fetchTimeout,
    cooldownDuration: cooldown,
    cacheMaxAge,
    [customFetch]: (_url, { signal }) => load(signal),
  });
  return {
    find: async (header, token) => {
      try {
        // The clock was set back: how old the keys are cannot be told, and the library would keep them until it has caught up.
        if (last !== undefined && Date.now() < last.at) await remote.reload();
        return await remote(header, token);
      } catch (error) {
        // Fresh keys that do not fit are an answer; so is a set that was fetched just now.
        const keys = remote.fresh ? undefined : believed();
        if (keys === undefined) throw error;
        observer?.({ kind: "stale" });
        return keys(header, token);
      }
    },
    observe: (next) => {
      observer = next;
    },
  };
}

function within(since: number, span: number): boolean {
  // A clock that was set back proves nothing: what lies in the future is too old too.
  const passed = Date.now() - since;
  return passed >= 0 && passed < span;
}

/** Only to satisfy the library, which asks for one address; `fetchKeys` knows where to go. */
function firstUrl(location: KeyLocation): URL {
  return location.kind === "url" ? location.url : new URL(configurationUrl(location.issuer) ?? "about:blank");
}

async function fetchKeys(location: KeyLocation, signal: AbortSignal, fetch: Fetch): Promise<JSONWebKeySet> {
  const url =
    location.kind === "url" ? location.url.href : await discoverKeySet(location.issuer, signal, fetch);
  const document = await fetchJson(url, signal, fetch);
  const keys = typeof document === "object" && document !== null && "keys" in document ? document.keys : [];
  // An empty set would turn everybody away; whoever has withdrawn all keys has others.
  if (!Array.isArray(keys) || keys.length === 0) throw new FetchRefused("a document without keys");
  return { keys };
}

function reasonOf(error: unknown): string {
  if (error instanceof FetchRefused) return error.message;
  if (!(error instanceof Error)) return "an error";
  if (error.name === "TimeoutError") return "no answer in time";
  const { code } = (error.cause ?? error) as { readonly code?: unknown };
  return typeof code === "string" ? `an error (${code})` : "an error";
}
