import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { stringify } from "yaml";
import { makeVerifier, saltBytes } from "../scram/verifier.ts";
import { ada, alice, issuer, sam } from "./identities.ts";

const roles = fileURLToPath(new URL("../../roles", import.meta.url));

/** The demo's configuration on disk: what an operator would write, with a token for Sam beside it. */
export type DemoConfiguration = {
  /** The path of rolegate.yaml. */
  readonly file: string;
  readonly tokenFile: string;
  readonly token: string;
  readonly auditDirectory: string;
};

/**
 * Writes rolegate.yaml, the role files, the issuer's public keys and Sam's token into `directory`, which it makes.
 * @param ports where the proxy, its admin address and the database listen, all on 127.0.0.1
 */
export async function writeConfiguration(
  directory: string,
  ports: { readonly proxy: number; readonly admin: number; readonly postgres: number },
): Promise<DemoConfiguration> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  cpSync(roles, join(directory, "roles"), { recursive: true });
  const secret = (name: string, text: string) => writeFileSync(join(directory, name), text, { mode: 0o600 });

  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "demo", alg: "ES256", use: "sig" };
  secret("jwks.json", JSON.stringify({ keys: [jwk] }, undefined, 2));
  const token = await new SignJWT({ ...sam.claims })
    .setProtectedHeader({ alg: "ES256", kid: "demo" })
    .setIssuer(issuer.issuer)
    .setAudience(issuer.audience)
    .setIssuedAt()
    .setExpirationTime("12h")
    .sign(privateKey);
  secret("sam.token", token);
  secret("login-password", randomBytes(24).toString("base64url"));

  const users = await Promise.all(
    [alice, ada].map(async ({ user, password, attributes }) => {
      const verifier = await makeVerifier(password, { salt: randomBytes(saltBytes) });
      return [user, { verifier, attributes }];
    }),
  );
  const configuration = {
    listen: { address: `127.0.0.1:${ports.proxy}` },
    admin: { address: `127.0.0.1:${ports.admin}` },
    databases: {
      shop: {
        upstream: `postgres://127.0.0.1:${ports.postgres}/shop?sslmode=disable`,
        login: { user: "rolegate_{role}", password: { file: "login-password" } },
      },
    },
    identities: [
      { type: "password", users: Object.fromEntries(users) },
      {
        type: "jwt",
        ...issuer,
        jwks: "jwks.json",
        name: "email",
        attributes: { tenant: "org.id", groups: "groups" },
        allowPlaintextOnLoopback: true,
      },
    ],
    access: [
      { role: "analyst", database: "shop", when: '"analysts" in identity.groups' },
      { role: "support", database: "shop", when: '"support" in identity.groups' },
      { role: "admin", database: "shop", when: '"admins" in identity.groups' },
    ],
    audit: { directory: "audit" },
    roles: "roles/",
  };
  const file = join(directory, "rolegate.yaml");
  writeFileSync(file, stringify(configuration), { mode: 0o600 });
  return { file, token, tokenFile: join(directory, "sam.token"), auditDirectory: join(directory, "audit") };
}
