import * as z from "zod";
import { custom, type IssueSink } from "../document/mapping.ts";
import { fetchableUrl } from "../identity/fetchable-url.ts";
import {
  fileKeySet,
  fixedKeySet,
  type KeySet,
  keySetExpected,
  type KeySetReading,
  localKeySet,
} from "../identity/key-set.ts";
import { sourced } from "./sourced.ts";
import { readText, type Sources } from "./sources.ts";

const expected = "the https:// URL or the file of a JSON Web Key Set";

/** What `jwks` names: keys that are here, or where they are to be fetched. */
export type NamedKeys =
  | { readonly kind: "keys"; readonly keys: KeySet }
  | { readonly kind: "url"; readonly url: URL };

/** `jwks` of a `jwt` entry: where the issuer's public keys are. */
export function keySet(sources: Sources | undefined) {
  const location = z.string({ error: expected }).min(1, { error: expected });
  return sourced(
    location.transform((value, context): NamedKeys => {
      const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(value);
      return (isUrl ? remote(value, context) : local(value, sources, context)) ?? z.NEVER;
    }),
    sources,
  );
}

function remote(value: string, sink: IssueSink): NamedKeys | undefined {
  const fetchable = fetchableUrl(value);
  if (fetchable.kind === "url") return fetchable;
  sink.addIssue(custom(expected, fetchable.found, "wrong value"));
  return undefined;
}

function local(value: string, sources: Sources | undefined, sink: IssueSink): NamedKeys | undefined {
  // A variable or file may hold the set itself instead of its path.
  const file = value.startsWith("{") || sources === undefined ? undefined : { path: value, sources };
  const json = file === undefined ? value : readText(file.path, file.sources, sink);
  if (json === undefined) return undefined;
  const reading = localKeySet(json);
  if (reading.kind === "keys")
    return {
      kind: "keys",
      keys:
        file === undefined
          ? fixedKeySet(reading.keys)
          : fileKeySet(reading.keys, lookAgain(json, file.path, file.sources)),
    };
  sink.addIssue(custom(keySetExpected, reading.found, "not a usable key set"));
  return undefined;
}

/** Reads the file; undefined while it is as it was, fault included. */
function lookAgain(first: string, path: string, sources: Sources): () => KeySetReading | undefined {
  let seen = `text ${first}`;
  return () => {
    let fault = "unreadable file";
    const json = readText(path, sources, { addIssue: ({ params }) => (fault = params.found ?? fault) });
    const now = json === undefined ? `fault ${fault}` : `text ${json}`;
    if (now === seen) return undefined;
    seen = now;
    return json === undefined ? { kind: "refused", found: fault } : localKeySet(json);
  };
}
