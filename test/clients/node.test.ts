import { describeClient } from "./describe-client.ts";
import type { Step } from "./expected-steps.ts";

/** `modules` are those of node/package.json, or what is generated from them. */
const program = (name: string, ...modules: readonly string[]) => ({
  command: [process.execPath, `node/${name}.mjs`] as const,
  needs: (modules.length === 0 ? [`node_modules/${name}`] : modules).map((path) => `node/${path}`),
});

const common: readonly Step[] = [
  ...(["connect", "tls", "token", "introspect", "read", "join", "hidden", "create", "create_other"] as const),
  ...(["update", "delete", "transaction", "batch", "prepared", "error", "define"] as const),
];

const driver: readonly Step[] = [
  ...common.filter((step) => step !== "introspect" && step !== "define"),
  ...(["cursor", "copy", "cancel", "notify"] as const),
];

describeClient("node-postgres", { ...program("pg"), steps: driver, more: { stream: 120 } });

describeClient("postgres.js", {
  ...program("postgres"),
  steps: driver,
  more: { pipeline: ["fulfilled", "42501", "fulfilled"], copy: { out: 120, in: 3, left: 120 } },
});

/** An order that is in the way: one's own is changed, that of another tenant stops the statement. */
const upsert = [2, "42501"];

describeClient("Knex", {
  ...program("knex"),
  steps: common,
  more: { stream: 120, upsert, migrate: [["one"], ["one"]] },
});

describeClient("Kysely", { ...program("kysely"), steps: common, more: { stream: 120, upsert } });

describeClient("Sequelize", { ...program("sequelize"), steps: common, more: { upsert } });

/** SELECT … FOR UPDATE gives the role's own rows. */
const locked = [2, null];

describeClient("TypeORM", { ...program("typeorm"), steps: common, more: { stream: 120, upsert, locked } });

describeClient("MikroORM", {
  ...program("mikro-orm", "node_modules/@mikro-orm/postgresql"),
  steps: common,
  more: { upsert, locked },
});

describeClient("Prisma", {
  ...program("prisma", "node_modules/@prisma/adapter-pg", "generated/client.ts"),
  steps: common.filter((step) => step !== "introspect"),
  more: { upsert },
});

describeClient("Drizzle", {
  ...program("drizzle", "node_modules/drizzle-orm"),
  steps: common.filter((step) => step !== "introspect"),
  more: { upsert },
});
