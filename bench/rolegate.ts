import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../src/embedded/free-port.ts";
import { makeVerifier, saltBytes } from "../src/scram/verifier.ts";
import { Child } from "./child.ts";
import { databaseName, roles, type BenchDatabase } from "./database.ts";
import { roleFile } from "./role-files.ts";

const program = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

/**
 * `rolegate serve` in a process of its own, as a user would start it, with its record in a temporary directory.
 * @param more lines for its configuration
 */
export async function startRolegate(
  database: BenchDatabase,
  cpuProfile: string | undefined,
  cleanup: AsyncDisposableStack,
  maxConnections = 1_000,
  more = "",
): Promise<{ child: Child; port: number; password: string }> {
  const directory = mkdtempSync(join(tmpdir(), "rolegate-bench-"));
  cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));
  const password = randomBytes(12).toString("hex");
  const port = await freePort();
  const verifier = await makeVerifier(password, { salt: randomBytes(saltBytes) });
  const file = join(directory, "rolegate.yaml");
  writeFileSync(file, configuration(database.server.port, port, verifier, maxConnections) + more, {
    mode: 0o600,
  });
  mkdirSync(join(directory, "roles"));
  for (const role of Object.values(roles))
    writeFileSync(join(directory, "roles", `${role}.yaml`), roleFile(role));

  const profile = cpuProfile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${cpuProfile}`];
  const child = cleanup.use(
    new Child(process.execPath, [...profile, program, "serve", "--config", file], {
      cwd: directory,
      env: { ...process.env, BENCH_LOGIN_PASSWORD: database.loginPassword },
    }),
  );
  await child.untilListening(port);
  return { child, port, password };
}

function configuration(upstreamPort: number, port: number, verifier: string, maxConnections: number): string {
  return `
listen: { address: "127.0.0.1:${port}" }
databases:
  ${databaseName}:
    upstream: postgres://127.0.0.1:${upstreamPort}/${databaseName}?sslmode=disable
    login: { user: "rolegate_{role}", password: { env: BENCH_LOGIN_PASSWORD } }
identities:
  - type: password
    users:
      bench: { verifier: "${verifier}", attributes: { branch: 1, policy: all } }
      bench-rows: { verifier: "${verifier}", attributes: { branch: 1, policy: rows } }
access:
  - { role: ${roles.all}, database: ${databaseName}, when: 'identity.policy == "all"' }
  - { role: ${roles.rows}, database: ${databaseName}, when: 'identity.policy == "rows"' }
audit: { directory: audit }
limits: { maxConnections: ${maxConnections} }
roles: roles/
`;
}
