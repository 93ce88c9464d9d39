import type { Step } from "./expected-steps.ts";
import { describeClient } from "./describe-client.ts";

const python = "./python/.venv/bin/python";
const program = (name: string): readonly [string, ...string[]] => [python, `python/${name}_client.py`];
const needs = [python];

const common: readonly Step[] = [
  ...(["connect", "tls", "token", "introspect", "read", "join", "hidden", "create", "create_other"] as const),
  ...(["update", "delete", "transaction", "batch", "prepared", "cursor", "error"] as const),
];
const driver: readonly Step[] = [...common, "copy", "cancel", "notify"];

describeClient("psycopg 3", {
  command: program("psycopg3"),
  needs,
  steps: driver,
  more: { pipeline: { customers: 20, refused: "42501", after: 20 }, binary: 20 },
});

describeClient("psycopg2", { command: program("psycopg2"), needs, steps: driver });

// A timeout is how asyncpg cancels.
describeClient("asyncpg", {
  command: program("asyncpg"),
  needs,
  steps: driver,
  more: { pool: [20], cancel: { code: "TimeoutError", next: 1 } },
});

for (const name of ["psycopg", "psycopg2"])
  describeClient(`SQLAlchemy over ${name}`, {
    command: program("sqlalchemy"),
    needs,
    steps: [...common, "define"],
    more: { automap: 12 },
    environment: { DRIVER: name },
  });

describeClient("Django", {
  command: program("django"),
  needs,
  steps: [...common, "define"],
  more: {
    // It reads each table's columns by `select *`, so it leaves out what the role has no rule for: tenants.
    inspectdb: ["Customers", "OrderItems", "Orders", "Products", "Visits"],
    locked: [2, "42501"],
  },
});
