import { describeClient } from "./describe-client.ts";
import type { Step } from "./expected-steps.ts";

/** test/clients/install builds them. */
const program = (name: string) => ({
  command: [`./go/.bin/${name}`] as const,
  needs: [`go/.bin/${name}`],
});

const steps: readonly Step[] = [
  ...(["connect", "tls", "token", "read", "join", "hidden", "create", "create_other", "update"] as const),
  ...(["delete", "transaction", "batch", "prepared", "cursor", "copy", "error", "cancel", "notify"] as const),
];

describeClient("pgx", {
  ...program("pgx"),
  steps,
  more: {
    batch_refused: { refused: "42501", lost: 0 },
    modes: { cache_statement: 20, cache_describe: 20, describe_exec: 20, exec: 20, simple_protocol: 20 },
    pool: 400,
  },
});

describeClient("lib/pq", {
  ...program("pq"),
  steps,
  // It cannot COPY TO.
  more: { copy: { in: 3, refused: "42501", left: 120 } },
});
