import * as z from "zod";

const text = z.string().min(1);

/** How the token is proved to arrive at the right server, as libpq's sslmode. */
export const sslmodes = ["verify-full", "verify-ca", "require", "disable"] as const;

/** Which of the provider's tokens rolegate is to be shown. */
export const tokenKinds = ["access", "id"] as const;

const signInSchema = z.strictObject({
  issuer: text,
  clientId: text,
  /** Absolute path of the file with the client's secret, for providers that give one to programs like this. */
  clientSecretFile: text.optional(),
  scope: text,
  /** What else the provider wants to be told, `resource` (RFC 8707) or `audience`, say. */
  parameters: z.record(text, text),
  token: z.enum(tokenKinds),
  /** The claim with the name that rolegate knows the person by; undefined: the first of the usual ones. */
  nameClaim: text.optional(),
});

const placeSchema = z.strictObject({
  host: text,
  port: z.int().min(1).max(65_535),
  database: text,
  sslmode: z.enum(sslmodes),
  /** Absolute path, or `system`; undefined: as libpq finds it. */
  sslrootcert: text.optional(),
});

const tokensSchema = z.strictObject({ access: text, id: text.optional(), refresh: text.optional() });

/** What `rolegate login` keeps under a name: where a person signs in, where they connect, and their tokens. */
export const contextSchema = z.strictObject({
  signIn: signInSchema,
  place: placeSchema,
  tokens: tokensSchema,
});

export type Context = z.output<typeof contextSchema>;
export type SignIn = Context["signIn"];
export type Place = Context["place"];
export type Tokens = Context["tokens"];
