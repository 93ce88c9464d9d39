import type { Step } from "./expected-steps.ts";
import { describeClient } from "./describe-client.ts";

const python = "./python/.venv/bin/python";
const program = (name: string): readonly [string, ...string[]] => [python, `python/${name}.py`];
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
