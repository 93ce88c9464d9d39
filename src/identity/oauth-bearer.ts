import type { ErrorCode } from "../errors.ts";

/** The mechanism's name (RFC 7628, section 3). */
export const oauthBearer = "OAUTHBEARER";

/** What a client's first message says. */
export type BearerMessage =
  | { readonly kind: "token"; readonly token: string }
  /** `auth` is empty: the client asks where tokens come from (RFC 7628, section 4.3). */
  | { readonly kind: "discovery" }
  /** `auth` is no bearer token: answered as a token that is not believed. */
  | { readonly kind: "no token" }
  /** Not what the mechanism's grammar allows; `detail` holds nothing of the message, which may hold a token. */
  | {
      readonly kind: "malformed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly detail?: string;
    };

/** `%x01`, which ends each key-value pair, and the list of them. */
export const kvsep = "\x01";

/** key = 1*(ALPHA), value = *(VCHAR / SP / HTAB / CR / LF ) */
const pair = /^([A-Za-z]+)=([\x21-\x7e \t\r\n]*)$/;

/** credentials = "Bearer" 1*SP b64token (RFC 6750, section 2.1); the scheme in any case (RFC 7628, section 4). */
const bearer = /^[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)$/;

/**
 * Reads `client-resp = gs2-header kvsep *kvpair kvsep` (RFC 7628, section 3.1; gs2-header: RFC 5801, section 4), with the
 * server's restrictions (auth-oauth.c): no channel binding, for none is defined, and no authorization identity.
 */
export function readBearerMessage(bytes: Buffer): BearerMessage {
  const text = bytes.toString("latin1");
  if (text === "") return malformed("The message is empty.");
  if (text.startsWith("p")) return malformed("The server does not support channel binding for OAuth.");
  if (!/^[ny],/.test(text)) return malformed("The channel-binding flag is not n or y.");
  if (text[2] === "a") {
    const message = "client uses authorization identity, but it is not supported";
    return { kind: "malformed", code: "unsupported_protocol", message };
  }
  if (!text.startsWith(`,${kvsep}`, 2)) return malformed("The header does not end where it should.");
  const pairs = text.slice(4).split(kvsep);
  if (pairs.pop() !== "" || pairs.pop() !== "")
    return malformed("The message does not end with the final separator.");
  let auth: string | undefined;
  for (const one of pairs) {
    const [, key, value] = pair.exec(one) ?? [];
    if (key === undefined) return malformed("The message contains something that is no key with a value.");
    // Others are ignored, as section 3.1 wants it.
    if (key !== "auth") continue;
    if (auth !== undefined) return malformed("The message contains multiple auth values.");
    auth = value;
  }
  if (auth === undefined) return malformed("The message does not contain an auth value.");
  if (auth === "") return { kind: "discovery" };
  const [, token] = bearer.exec(auth) ?? [];
  return token === undefined ? { kind: "no token" } : { kind: "token", token };
}

/**
 * What a client is told whose token is missing or not believed (RFC 7628, section 3.2.2), as JSON. The address is made as
 * the server makes it: libpq takes the issuer's name from it, a slash at its end included.
 */
export function bearerRefusal({
  issuer,
  scope,
}: {
  readonly issuer: string;
  readonly scope: string;
}): string {
  return JSON.stringify({
    status: "invalid_token",
    "openid-configuration": `${issuer}/.well-known/openid-configuration`,
    scope,
  });
}

export function malformed(detail: string): Extract<BearerMessage, { kind: "malformed" }> {
  return {
    kind: "malformed",
    code: "protocol_violation",
    message: "malformed OAUTHBEARER message",
    detail,
  };
}
