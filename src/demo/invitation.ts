import { ada, alice, sam } from "./identities.ts";
import type { Demo } from "./start.ts";

/** Lines to paste: psql and connection strings for each of the demo's people, and where to look. */
export function invitation({ port, adminPort, configuration }: Demo): string[] {
  const psql = (user: string, password: string) =>
    `   PGPASSWORD=${password} psql "host=127.0.0.1 port=${port} dbname=shop user=${user}"`;
  const url = (user: string, password: string) => `   postgres://${user}:${password}@127.0.0.1:${port}/shop`;
  return [
    "4. Now you. It runs until Ctrl-C, and then leaves nothing behind.",
    "",
    `  ${alice.introduction}`,
    psql(alice.user, alice.password),
    url(alice.user, alice.password),
    "",
    `  ${sam.introduction}`,
    psql(sam.user, `"$(cat ${configuration.tokenFile})"`),
    "",
    `  ${ada.introduction}`,
    psql(ada.user, ada.password),
    url(ada.user, ada.password),
    "",
    "  The record, as it grows:",
    `   npx rolegate audit -f -d ${configuration.auditDirectory}`,
    "  Health and metrics:",
    `   http://127.0.0.1:${adminPort}/health and http://127.0.0.1:${adminPort}/metrics`,
    "  The configuration:",
    `   ${configuration.file}`,
    "",
  ];
}
