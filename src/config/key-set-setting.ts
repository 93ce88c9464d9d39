import * as z from "zod";
import { custom, type IssueSink } from "../document/mapping.ts";
import { keySetExpected, localKeySet, remoteKeySet } from "../identity/key-set.ts";
import type { JwtIssuer } from "../identity/jwt-issuer.ts";
import { isLoopback } from "../identity/loopback.ts";
import { sourced } from "./sourced.ts";
import { readText, type Sources } from "./sources.ts";

const expected = "the https:// URL or the file of a JSON Web Key Set";

/** `jwks` of a `jwt` entry: where the issuer's public keys are. */
export function keySet(sources: Sources | undefined) {
  const location = z.string({ error: expected }).min(1, { error: expected });
  return sourced(
    location.transform((value, context) => {
      const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(value);
      return (isUrl ? remote(value, context) : local(value, sources, context)) ?? z.NEVER;
    }),
    sources,
  );
}

function remote(value: string, sink: IssueSink): JwtIssuer["keys"] | undefined {
  const url = URL.parse(value);
  // Whoever is on the way of a plaintext fetch can answer with keys of their own, and then be anyone.
  const safe = url?.protocol === "https:" || (url?.protocol === "http:" && isLocal(url.hostname));
  if (url !== null && safe && url.username === "" && url.password === "") return remoteKeySet(url);
  const found = url === null ? "no URL" : safe ? "a URL with a user or password" : "a URL that is not https";
  sink.addIssue(custom(expected, found, "wrong value"));
  return undefined;
}

function local(value: string, sources: Sources | undefined, sink: IssueSink): JwtIssuer["keys"] | undefined {
  // A variable or file may hold the set itself instead of its path.
  const json = value.startsWith("{") || sources === undefined ? value : readText(value, sources, sink);
  if (json === undefined) return undefined;
  const reading = localKeySet(json);
  if (reading.kind === "keys") return reading.keys;
  sink.addIssue(custom(keySetExpected, reading.found, "not a usable key set"));
  return undefined;
}

function isLocal(hostname: string): boolean {
  return hostname === "localhost" || isLoopback(hostname.replace(/^\[|\]$/g, ""));
}
