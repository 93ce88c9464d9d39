import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import * as z from "zod";
import { custom, type IssueSink } from "../document/mapping.ts";
import { revocationListsOf } from "../identity/revocation-lists.ts";
import { sourced } from "./sourced.ts";
import { readText, type Sources } from "./sources.ts";

const expected = "the path of a PEM file";

const pem = z.string({ error: expected }).min(1, { error: expected });

/** A certificate with its intermediates, as PEM text. */
export function certificate(sources: Sources | undefined) {
  return sourced(
    pem.transform((value, context) => readCertificate(value, sources, context) ?? z.NEVER),
    sources,
  );
}

/** Certificate revocation lists, as PEM text. */
export function revocationList(sources: Sources | undefined) {
  const wanted = "certificate revocation lists in PEM form";
  return sourced(
    pem.transform((value, context) => {
      const list = readPem(value, sources, context);
      if (list === undefined) return z.NEVER;
      try {
        const lists = revocationListsOf(list);
        if (lists === undefined) throw new Error("no lists");
        createSecureContext({ crl: [...lists] });
        return list;
      } catch {
        context.addIssue(custom(wanted, "a file of another form", "not a revocation list"));
        return z.NEVER;
      }
    }),
    sources,
  );
}

/** A private key as PEM text, behind a function so that it is not printed with the configuration. */
export function privateKey(sources: Sources | undefined) {
  return sourced(
    pem.transform((value, context) => {
      const text = readPem(value, sources, context);
      if (text === undefined) return z.NEVER;
      try {
        createPrivateKey(text);
        return () => text;
      } catch {
        const found = text.includes("ENCRYPTED") ? "an encrypted key" : "a file of another form";
        context.addIssue(custom("an unencrypted private key in PEM form", found, "not a usable key"));
        return z.NEVER;
      }
    }),
    sources,
  );
}

/** The PEM text at a path, checked to begin with a certificate; undefined, with an issue, if it does not. */
export function readCertificate(
  value: string,
  sources: Sources | undefined,
  sink: IssueSink,
): string | undefined {
  const text = readPem(value, sources, sink);
  if (text === undefined) return undefined;
  try {
    void new X509Certificate(text);
    return text;
  } catch {
    sink.addIssue(custom("a certificate in PEM form", "a file of another form", "not a certificate"));
    return undefined;
  }
}

/**
 * A client's certificate and key at two paths, checked now and read again by each call.
 * @returns "refused", with an issue, if they cannot be used
 */
export function keyPair(
  certificatePath: string,
  keyPath: string,
  sources: Sources | undefined,
  sink: IssueSink,
): (() => { readonly cert: string; readonly key: string }) | "refused" {
  const read = (issues: IssueSink) => {
    const cert = readCertificate(certificatePath, sources, issues);
    const key = readPem(keyPath, sources, issues);
    return cert === undefined || key === undefined ? undefined : { cert, key };
  };
  const first = read(sink);
  if (first === undefined) return "refused";
  try {
    if (!new X509Certificate(first.cert).checkPrivateKey(createPrivateKey(first.key))) throw new Error();
  } catch {
    sink.addIssue(custom("the unencrypted private key of sslcert", "another file", "not a usable key"));
    return "refused";
  }
  return () => {
    const pair = read({ addIssue: () => {} });
    if (pair === undefined) throw new Error("sslcert or sslkey can no longer be read");
    return pair;
  };
}

/** The file's text, or the value itself where a variable or a file held the PEM instead of a path. */
function readPem(value: string, sources: Sources | undefined, sink: IssueSink): string | undefined {
  return value.startsWith("-----BEGIN ") || sources === undefined ? value : readText(value, sources, sink);
}
