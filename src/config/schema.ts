import * as z from "zod";
import { custom, mapping, text } from "../document/mapping.ts";
import { accessSchema } from "./access-schema.ts";
import { certificateSchema } from "./certificate-schema.ts";
import { databaseSchema } from "./database-schema.ts";
import { passwordSchema, userSchema } from "./identity-schema.ts";
import { jwtSchema } from "./issuer-schema.ts";
import { limitsSchema } from "./limits-schema.ts";
import { networks } from "./networks-setting.ts";
import { certificate, privateKey, revocationList } from "./pem.ts";
import { parseSocketAddress } from "./socket-address.ts";
import { sourced } from "./sourced.ts";
import type { Sources } from "./sources.ts";
import { storeSchema } from "./store-schema.ts";

/** Below these keys no value is ever quoted in a problem: a secret may stand there, even if by mistake. */
export const secretSettings: ReadonlySet<string> = new Set([
  "login",
  "password",
  "users",
  "upstream",
  "url",
  "key",
  "jwks",
  "mockSecret",
]);

/** Where the record is written unless `audit.directory` says otherwise; relative to the configuration file. */
export const defaultAuditDirectory = "var/audit";

export type ConfigSchemas = ReturnType<typeof configSchemas>;

/**
 * Every setting of rolegate.yaml with its type, default and description. An issue's message is what was expected.
 * `databases`, `identities`, `users` and `access` are given as the schema of one entry, because entries are read
 * one by one, so that a problem in one does not hide those of the others.
 * @param sources where `{ env }`, `{ file }` and `{ command }` look; undefined: only to be described.
 */
export function configSchemas(sources: Sources | undefined) {
  return {
    listen: listenSchema(sources),
    admin: mapping({
      address: address("127.0.0.1:6480", sources).describe("Where health and metrics are served."),
    })
      .optional()
      .describe("The operators' side; not served where this is left out."),
    database: databaseSchema(sources),
    password: passwordSchema(sources),
    user: userSchema(sources),
    jwt: jwtSchema(sources),
    certificate: certificateSchema(sources),
    authentication: authenticationSchema(sources),
    access: accessSchema(sources),
    audit: mapping({
      directory: sourced(text("a directory"), sources)
        .prefault(defaultAuditDirectory)
        .describe("Where the record is written, relative to this file."),
    })
      .prefault({})
      .describe("The record of every statement."),
    store: storeSchema(sources),
    roles: sourced(text("a directory of role files"), sources)
      .prefault("roles/")
      .describe("The directory of the role files, relative to this file."),
    limits: limitsSchema(sources),
    log: mapping({
      level: sourced(
        z.enum(["debug", "info", "warn", "error"], { error: "debug, info, warn or error" }),
        sources,
      )
        .prefault("info")
        .describe("The least important messages that are logged."),
    })
      .prefault({})
      .describe("The operational log, which never holds SQL."),
  };
}

function listenSchema(sources: Sources | undefined) {
  return mapping({
    address: address("127.0.0.1:6432", sources).prefault("127.0.0.1:6432").describe("Where clients connect."),
    tls: mapping({
      certificate: certificate(sources).describe("PEM file: the certificate, then its intermediates."),
      key: privateKey(sources).describe("PEM file: the certificate's private key."),
      clientCa: certificate(sources)
        .optional()
        .describe(
          "PEM file: the authorities whose client certificates are believed. Left out: none is asked for.",
        ),
      clientCrl: revocationList(sources)
        .optional()
        .describe("PEM file: what these authorities have revoked; each of them needs a list in it."),
      mode: sourced(z.enum(["require", "optional"], { error: "require or optional" }), sources)
        .prefault("require")
        .describe(
          "require: a client without TLS is refused before any password. optional: the client decides.",
        ),
    })
      .optional()
      .describe("TLS for clients; where this is left out, only plaintext connections are taken."),
    proxyProtocol: mapping({
      trusted: networks(sources).describe(
        "IP addresses and networks (`10.0.0.0/8`) of the load balancers. A connection from there must begin with a header; from anywhere else none is taken.",
      ),
    })
      .optional()
      .describe("Load balancers that say where a client is, by the PROXY protocol, version 2."),
  })
    .prefault({})
    .describe("The clients' side.");
}

function oneOrMore<Value extends z.ZodType<string>>(value: Value, expected: string) {
  return z
    .union([value, z.array(value).min(1, { error: "at least one" })], { error: expected })
    .transform((given): readonly string[] => (typeof given === "string" ? [given] : given))
    .optional();
}

/** One entry of `authentication`. */
function authenticationSchema(sources: Sources | undefined) {
  const name = sourced(text("a name, or a pattern with *"), sources);
  const database = sourced(text("a database of this file"), sources);
  return mapping({
    address: networks(sources)
      .optional()
      .describe("IP addresses and networks (`10.0.0.0/8`) that clients come from. Left out: any."),
    tls: sourced(z.boolean({ error: "true or false" }), sources)
      .optional()
      .describe("Whether they come over TLS. Left out: either."),
    certificate: sourced(z.boolean({ error: "true or false" }), sources)
      .optional()
      .describe("Whether they show a certificate of `listen.tls.clientCa`. Left out: either."),
    database: oneOrMore(database, "a database of this file, or a list of them").describe(
      "The databases that they ask for. Left out: any.",
    ),
    user: oneOrMore(name, "a name, or a list of them").describe(
      "The names that they give: a person's, or a role's; * stands for any characters. Left out: any.",
    ),
    method: z
      .enum(["password", "jwt", "oauth", "certificate", "reject"], {
        error: "password, jwt, oauth, certificate or reject",
      })
      .describe(
        "How they prove who they are (jwt: a token as the password; oauth: OAUTHBEARER), or that they are turned away.",
      ),
    issuer: sourced(text("the issuer of a jwt entry"), sources)
      .optional()
      .describe(
        "With jwt or oauth: the issuer whose tokens are taken. Left out: any; oauth needs it where there are several.",
      ),
  });
}

function address(example: string, sources: Sources | undefined) {
  const expected = `an address with a port, such as ${example} or [::1]:${example.split(":")[1]}`;
  return sourced(
    text(expected).transform((value, context) => {
      const parsed = parseSocketAddress(value);
      if (parsed !== undefined) return parsed;
      context.addIssue(custom(expected, undefined, "wrong value"));
      return z.NEVER;
    }),
    sources,
  );
}
