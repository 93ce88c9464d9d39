import * as z from "zod";
import { custom, type IssueSink, mapping, text } from "../document/mapping.ts";
import type { UpstreamTarget } from "./config.ts";
import { keyPair, readCertificate } from "./pem.ts";
import { roleSecret, sourced } from "./sourced.ts";
import type { Sources } from "./sources.ts";
import { parseUpstreamUrl } from "./upstream-url.ts";

/** One entry of `databases`. */
export function databaseSchema(sources: Sources | undefined) {
  return mapping({
    upstream: upstreamUrl(sources).describe(
      "The database: postgres://host:port/database?sslmode=…, without user and password. sslmode is disable, require, verify-ca or verify-full; sslrootcert, sslcert and sslkey are files; channel_binding is prefer or require; max_protocol_version is 3.0, or 3.2 where it is left out.",
    ),
    login: mapping({
      user: sourced(loginTemplate, sources)
        .prefault("rolegate_{role}")
        .describe(
          "The login for each role; {role} stands for the role. It owns nothing and can become only that role.",
        ),
      password: roleSecret(sources).describe(
        "The password of these logins; {role} in it stands for the role, so that each has its own.",
      ),
    }).describe("How rolegate logs in to the database."),
  });
}

/** The URL of a database, with how its server is reached. */
export function upstreamUrl(sources: Sources | undefined) {
  const url = text("postgres://host:port/database?sslmode=verify-full").transform(
    (value, context) => readTarget(value, sources, context) ?? z.NEVER,
  );
  return sourced(url, sources);
}

const templateExpected =
  "a login with {role} in it, such as rolegate_{role}: every role needs a login of its own";

const loginTemplate = text(templateExpected).refine((value) => /^([^{}]*\{role\})+[^{}]*$/.test(value), {
  error: templateExpected,
});

function readTarget(
  value: string,
  sources: Sources | undefined,
  sink: IssueSink,
): UpstreamTarget | undefined {
  const reading = parseUpstreamUrl(value);
  if (reading.kind === "refused") {
    sink.addIssue(custom(reading.expected, reading.found, "not a usable URL"));
    return undefined;
  }
  const { sslmode, sslrootcert, sslcert, sslkey, ...server } = reading.url;
  if (sslmode === "disable") return { ...server, tls: undefined };
  const pair =
    sslcert === undefined || sslkey === undefined ? undefined : keyPair(sslcert, sslkey, sources, sink);
  if (pair === "refused") return undefined;
  if (sslrootcert === undefined || sslrootcert === "system") {
    return { ...server, tls: { mode: sslmode, rootCertificate: undefined, clientCertificate: pair } };
  }
  const rootCertificate = readCertificate(sslrootcert, sources, sink);
  if (rootCertificate === undefined) return undefined;
  return { ...server, tls: { mode: sslmode, rootCertificate, clientCertificate: pair } };
}
