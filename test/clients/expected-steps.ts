import { expect } from "vitest";

/** SQLSTATE, DETAIL and HINT of `select * from tenants`, of which the role has no rule. */
const refusal = {
  code: "42501",
  detail: 'Role "shop_clerk" has no select rule for a relation of this name (roles/shop_clerk.yaml).',
  hint: expect.stringMatching(/^Role "shop_clerk" may read: /) as string,
};

/** What every client sees of the shop (src/demo/shop.sql) as alice, step by step, whatever it asks with. */
export const expectedSteps = {
  /** Who it is. */
  connect: { identity: "alice", role: "shop_clerk" },
  /** With a password over verified TLS, and with a token in the place of one. */
  tls: { identity: "alice" },
  token: { identity: "sam@example.com", customers: 20 },
  /** The columns of customers, by the client's own introspection: the catalogs name hidden columns too. */
  introspect: ["created_at", "email", "id", "name", "ssn", "tenant_id"],
  /** Of 40 customers and 240 orders of two tenants. */
  read: { customers: 20, tenants: [1], orders: 120, email: "***@example.com" },
  /** Customers joined with orders of which there are rows on both sides. */
  join: 120,
  /** A column that is hidden, in the server's words for one that is not there. */
  hidden: "42703",
  /** An order of one's own, with defaults of the database, read back by RETURNING. */
  create: { tenant_id: 1, status: "draft", note: "made" },
  /** An order of another tenant. */
  create_other: "42501",
  /** Rows that an UPDATE and a DELETE of orders of both tenants touch: order 2 is of tenant 1, order 1 of tenant 2. */
  update: { own: 1, other: 0 },
  delete: { own: 1, other: 0 },
  /** Rolled back; a refusal within it, and then 25P02; a savepoint that outlives a refusal. */
  transaction: { inside: 121, after: 120, refused: "42501", next: "25P02", savepoint: 121, end: 120 },
  /** 50 orders in the client's own way for many, then deleted. */
  batch: { made: 50, deleted: 50 },
  /** One prepared statement for customers 1 to 40: those of the other tenant are not found. */
  prepared: 20,
  /** 120 orders in parts of 50, with a server-side cursor or portal. */
  cursor: [50, 50, 20],
  /** All orders out, 3 in, one of another tenant among 3 refused and none of them kept. */
  copy: { out: 120, in: 3, refused: "42501", left: 120 },
  error: refusal,
  /** A sleep that the client cancels, and the connection afterwards. */
  cancel: { code: "57014", next: 1 },
  /** A notification that it sends to itself. */
  notify: ["jobs", "hello"],
  /** A table that it defines by its own means in the schema app, with an index, and its rows. */
  define: { rows: ["one", "two"], columns: ["id", "label"] },
} as const;

export type Step = keyof typeof expectedSteps;
