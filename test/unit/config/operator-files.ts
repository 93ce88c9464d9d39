import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type LoadedConfig, loadConfig } from "../../../src/config/load.ts";

/** Of `correct horse`, and of no password that anybody has. */
export const verifier =
  "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/** A configuration with everything in it. Tests change single lines, so keep one setting a line. */
export const configYaml = `listen:
  address: 127.0.0.1:6432
  tls:
    certificate: tls/server.crt
    key: tls/server.key
    mode: require
admin: { address: 127.0.0.1:6480 }
databases:
  shop:
    upstream: postgres://db.internal:5432/shop?sslmode=verify-full
    login:
      user: "rolegate_{role}"
      password: { env: SHOP_LOGIN_PASSWORD }
identities:
  - type: jwt
    issuer: https://id.example.com
    audience: rolegate
    jwks: https://id.example.com/jwks.json
    name: email
    attributes: { tenant: org.id, groups: groups }
  - type: password
    users:
      alice:
        verifier: "${verifier}"
        attributes: { tenant: 1, groups: [analysts] }
access:
  - role: analyst
    database: shop
    when: '"analysts" in identity.groups'
audit: { directory: var/audit }
roles: roles/
limits: { maxConnections: 50, authenticationTimeout: 5s }
log: { level: warn }
`;

export const analystYaml = "role: analyst\ndatabase: shop\ntables:\n  products: { select: all }\n";

/** A self-signed P-256 certificate for `localhost`, for tests only. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUMjQknZrwVlKtJ570i154Z9FSvAcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE3NTMyNloYDzIxMjYxMDI5
MTc1MzI2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATh8uUsi4wg87JzG1oJZm8b78BL74MWdtbV3z6h9xOhlu23tes6VJDh
ltrTnVoGdracAqNBCcODPDa19UnN/wX3o2kwZzAdBgNVHQ4EFgQUbUSZVMj4dovx
d+DhXtaHY9bwtX0wHwYDVR0jBBgwFoAUbUSZVMj4dovxd+DhXtaHY9bwtX0wDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIgNaAJHk0LcWrrJgBEcLm97Z2sTtrI+xeG5Rk5krWThGgCIQD2Egl3BC/n
LkJ2s7nHb6rut2ksjiE0UU0muVF9ZDR5AA==
-----END CERTIFICATE-----
`;
export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgw/U6mYmoHEfON71a
4mQD5EB6HS9VLyNYbwGTWULr+qShRANCAATh8uUsi4wg87JzG1oJZm8b78BL74MW
dtbV3z6h9xOhlu23tes6VJDhltrTnVoGdracAqNBCcODPDa19UnN/wX3
-----END PRIVATE KEY-----
`;
export const otherKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbl6Rant0UPAkbsSP
ZANxBC8N+19Jtg0jP837cV1GS4ChRANCAASVEtpWz/iEJ/yYZieCzYWVTLR7xv5B
TxKcaA+fXg/EoQS7LzRU5ty0/lSykLu1x2T3GZ0Bir/RXk4ZItQOWTJL
-----END PRIVATE KEY-----
`;

/** A directory with these files in it; gone at the end of the scope. */
export function operatorFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
): Disposable & { readonly directory: string } {
  const directory = mkdtempSync(path.join(tmpdir(), "rolegate-config-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    writeFileSync(path.join(directory, name), content);
  }
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}

/** What a loadable configuration consists of. */
export const goodFiles: Readonly<Record<string, string>> = {
  "rolegate.yaml": configYaml,
  "roles/analyst.yaml": analystYaml,
  "tls/server.crt": certificate,
  "tls/server.key": key,
};

/** The environment that the good configuration needs. */
export const goodEnv: NodeJS.ProcessEnv = { SHOP_LOGIN_PASSWORD: "hunter2" };

/** The good files with one piece of the configuration replaced, which must be there. */
export function changed(piece: string, replacement: string): Record<string, string> {
  if (!configYaml.includes(piece)) throw new Error(`no such piece: ${piece}`);
  return { ...goodFiles, "rolegate.yaml": configYaml.replace(piece, () => replacement) };
}

/** Loads files that exist only while it does. */
export function load(files: Readonly<Record<string, string | Uint8Array>>, env = goodEnv): LoadedConfig {
  using operator = operatorFiles(files);
  return loadConfig(path.join(operator.directory, "rolegate.yaml"), env);
}

/** `file:line setting: message`, files by their base name. */
export function problemsOf(loaded: LoadedConfig): string[] {
  if (loaded.kind === "loaded") return [];
  return loaded.problems.map(
    ({ file, line, setting, message }) => `${path.basename(file)}:${line} ${setting}: ${message}`,
  );
}
