import { existsSync } from "node:fs";
import { delimiter } from "node:path";
import { describeClient } from "./describe-client.ts";
import type { Step } from "./expected-steps.ts";

const java = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => `${folder}/java`)
  .find((path) => existsSync(path));

const steps: readonly Step[] = [
  ...(["connect", "tls", "token", "introspect", "read", "join", "hidden", "create", "create_other"] as const),
  ...(["update", "delete", "transaction", "batch", "prepared", "cursor", "copy", "error", "cancel"] as const),
  "notify",
];

// Debian's, and the newest, which test/clients/install has Maven bring.
for (const [version, jar] of [
  ["42.5.5", "/usr/share/java/postgresql.jar"],
  ["42.7.14", "java/.lib/postgresql-42.7.14.jar"],
] as const)
  describeClient(`pgjdbc ${version}`, {
    command: [java ?? "java", "-cp", jar, "java/Jdbc.java"],
    needs: [java ?? "java", jar],
    steps,
    more: {
      version,
      generated_keys: { tenant_id: 1, status: "draft" },
      rewritten_batch: 50,
      updatable: "42501",
      simple: 20,
      metadata: ["customers", "order_items", "orders", "products", "tenants", "visits"],
    },
  });
