import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

// An OpenID Connect provider, the real one of the oidc-provider package, on this machine.

/** The clients that it knows. */
export const client = "rolegate-cli";
export const otherClient = "other-cli";

/** What to ask for a token for (RFC 8707), and the audience that the token then has. */
export const resource = "https://rolegate.test/";
export const audience = "rolegate";

export type OidcIssuer = {
  readonly issuer: string;
  /** Signs `account` in on the provider's own pages, as a browser would, and lets the device in, or not. */
  visit(page: string, account: string, answer?: "allow" | "abort"): Promise<void>;
  /** Stops answering. */
  stop(): Promise<void>;
  /** Answers again, signing with the key of that name, which is the only one of its key set. */
  start(kid: string): Promise<void>;
};

/** @param lifetime of access tokens, in seconds */
export async function startOidcIssuer(lifetime: number): Promise<OidcIssuer> {
  const keys = new Map<string, object>();
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const issuer = `http://127.0.0.1:${port}`;
  let server: Server | undefined;
  const stop = async () => {
    const stopped = server && once(server, "close");
    server?.close();
    server?.closeAllConnections();
    server = undefined;
    await stopped;
  };
  const start = async (kid: string) => {
    await stop();
    if (!keys.has(kid)) keys.set(kid, await privateKey(kid));
    const provider = new Provider(issuer, configuration(keys.get(kid)!, lifetime));
    server = createServer((request, response) => void provider.callback()(request, response));
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await start("one");
  return { issuer, stop, start, visit };
}

async function privateKey(kid: string): Promise<object> {
  const pair = await generateKeyPair("ES256", { extractable: true });
  return { ...(await exportJWK(pair.privateKey)), kid, alg: "ES256", use: "sig" };
}

function configuration(key: object, lifetime: number): Record<string, unknown> {
  const kinds = ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"];
  return {
    jwks: { keys: [key] },
    clients: [client, otherClient].map((client_id) => ({
      client_id,
      token_endpoint_auth_method: "none",
      grant_types: kinds,
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: "ES256",
    })),
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({ sub, email: `${sub}@example.com` }),
    }),
    claims: { openid: ["sub"], email: ["email"] },
    scopes: ["openid", "email"],
    extraTokenClaims: (_context: unknown, { accountId }: { accountId: string }) => ({
      email: `${accountId}@example.com`,
      groups: ["analysts"],
    }),
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    rotateRefreshToken: true,
    ttl: {
      AccessToken: lifetime,
      IdToken: lifetime,
      RefreshToken: 86_400,
      Grant: 86_400,
      Session: 3600,
      Interaction: 3600,
      DeviceCode: 600,
    },
    cookies: { keys: ["key-of-the-tests"] },
    features: {
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: "openid email",
          audience,
          accessTokenTTL: lifetime,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  };
}

/** Follows redirects, fills in the forms that come, and sends them, until the provider says how it went. */
async function visit(page: string, account: string, answer: "allow" | "abort" = "allow"): Promise<void> {
  const cookies = new Map<string, string>();
  let url = new URL(page);
  let body: URLSearchParams | undefined;
  for (let step = 0; step < 20; step++) {
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      ...(body === undefined ? {} : { body }),
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    const location = response.headers.get("location");
    body = undefined;
    if (location !== null) {
      url = new URL(location, url);
      continue;
    }
    const html = await response.text();
    if (html.includes("Sign-in Success") || html.includes("Sign-in request was interrupted")) return;
    const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1];
    if (action === undefined) throw new Error(`no form: ${html.slice(0, 2000)}`);
    url = new URL(action, url);
    body = new URLSearchParams();
    for (const [input] of html.matchAll(/<input[^>]*>/g)) {
      const name = /name="([^"]+)"/.exec(input)?.[1];
      if (name !== undefined) body.set(name, /value="([^"]*)"/.exec(input)?.[1] ?? account);
    }
    if (answer === "abort" && html.includes('name="abort"')) body.set("abort", "yes");
  }
  throw new Error("the provider's pages do not end");
}
