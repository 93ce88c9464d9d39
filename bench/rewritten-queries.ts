/** A query as a client writes it, and with the rule `tenant_id = 7` as somebody would best put it there by hand. */
export type RewrittenQuery = { readonly name: string; readonly client: string; readonly byHand: string };

const at = "timestamptz '2025-06-01'";
const o = "o.tenant_id = 7";
const c = "c.tenant_id = 7";

export const tables = `
  CREATE TABLE customers (id int PRIMARY KEY, tenant_id int NOT NULL, name text NOT NULL, email text NOT NULL, city text);
  CREATE TABLE orders (id int PRIMARY KEY, tenant_id int NOT NULL, customer_id int NOT NULL REFERENCES customers,
    status text NOT NULL, code text NOT NULL, amount numeric NOT NULL, note text, created_at timestamptz NOT NULL);
  INSERT INTO customers SELECT i, i % 50, 'customer ' || i, 'c' || i || '@example.com', 'city ' || i % 100
    FROM generate_series(1, 100000) i;
  INSERT INTO orders SELECT i, i % 50, i % 100000 + 1, (ARRAY['draft','open','paid','sent'])[i % 4 + 1], i::text,
    (i % 1000)::numeric + 0.5, CASE WHEN i % 3 = 0 THEN 'note ' || i END,
    timestamptz '2025-01-01' + i * interval '30 seconds' FROM generate_series(1, 1000000) i;
  CREATE INDEX orders_customer ON orders (customer_id);
  CREATE INDEX orders_created ON orders (created_at);
  CREATE INDEX orders_tenant_created ON orders (tenant_id, created_at);
  CREATE INDEX customers_tenant ON customers (tenant_id);
  VACUUM ANALYZE;`;

/** Customer 57 and order 57 are the tenant's. */
export const rewrittenQueries: readonly RewrittenQuery[] = [
  {
    name: "a row by its key",
    client: "SELECT * FROM orders WHERE id = 57",
    byHand: "SELECT * FROM orders o WHERE id = 57 AND " + o,
  },
  {
    name: "rows by a list of keys",
    client: "SELECT id, amount FROM orders WHERE id IN (7, 57, 107, 157, 207, 257, 307, 357, 407, 457)",
    byHand:
      "SELECT id, amount FROM orders o WHERE id IN (7, 57, 107, 157, 207, 257, 307, 357, 407, 457) AND " + o,
  },
  {
    name: "a join along a foreign key",
    client: "SELECT c.name, o.amount FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id = 57",
    byHand: `SELECT c.name, o.amount FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id = 57 AND ${c} AND ${o}`,
  },
  {
    name: "a left join",
    client:
      "SELECT c.name, o.id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE c.id IN (57, 107)",
    byHand: `SELECT c.name, o.id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND ${o} WHERE c.id IN (57, 107) AND ${c}`,
  },
  {
    name: "a range of time",
    client: `SELECT id, amount FROM orders WHERE created_at >= ${at} AND created_at < ${at} + interval '1 day'`,
    byHand: `SELECT id, amount FROM orders o WHERE created_at >= ${at} AND created_at < ${at} + interval '1 day' AND ${o}`,
  },
  {
    name: "a range back from now",
    client:
      "SELECT count(*) FROM orders WHERE created_at > now() - interval '500 days' AND created_at < '2025-02-01'",
    byHand: `SELECT count(*) FROM orders o WHERE created_at > now() - interval '500 days' AND created_at < '2025-02-01' AND ${o}`,
  },
  {
    name: "the newest rows",
    client: "SELECT id, created_at FROM orders ORDER BY created_at DESC LIMIT 20",
    byHand: `SELECT id, created_at FROM orders o WHERE ${o} ORDER BY created_at DESC LIMIT 20`,
  },
  {
    name: "the newest rows behind a condition that can raise",
    client: "SELECT id, created_at FROM orders WHERE code::int > 10 ORDER BY created_at DESC LIMIT 20",
    byHand: `SELECT id, created_at FROM orders o WHERE code::int > 10 AND ${o} ORDER BY created_at DESC LIMIT 20`,
  },
  {
    name: "a key beside a condition that can raise",
    client: "SELECT * FROM orders WHERE id = 57 AND code::int > 10",
    byHand: "SELECT * FROM orders o WHERE id = 57 AND code::int > 10 AND " + o,
  },
  {
    name: "a range of time beside a condition that can raise",
    client: `SELECT id FROM orders WHERE created_at >= ${at} AND created_at < '2025-06-08' AND code::int % 2 = 1`,
    byHand: `SELECT id FROM orders o WHERE created_at >= ${at} AND created_at < '2025-06-08' AND code::int % 2 = 1 AND ${o}`,
  },
  {
    name: "a join beside a condition that can raise",
    client:
      "SELECT c.name, o.amount FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id = 57 AND o.code::int > 10",
    byHand: `SELECT c.name, o.amount FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id = 57 AND o.code::int > 10 AND ${c} AND ${o}`,
  },
  {
    name: "a join whose key is not given beside one",
    client:
      "SELECT c.name, o.amount FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.city = 'city 7' AND o.code::int > 10",
    byHand: `SELECT c.name, o.amount FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.city = 'city 7' AND o.code::int > 10 AND ${c} AND ${o}`,
  },
  {
    name: "LIKE with a key",
    client: "SELECT id FROM orders WHERE customer_id = 57 AND note LIKE 'note%'",
    byHand: `SELECT id FROM orders o WHERE customer_id = 57 AND note LIKE 'note%' AND ${o}`,
  },
  {
    name: "LIKE, of many rows",
    client: "SELECT count(*) FROM orders WHERE note LIKE '%99%'",
    byHand: `SELECT count(*) FROM orders o WHERE note LIKE '%99%' AND ${o}`,
  },
  {
    name: "either of two keys, beside a condition that can raise",
    client: "SELECT id FROM orders WHERE (id = 57 OR customer_id = 107) AND code::int > 10",
    byHand: `SELECT id FROM orders o WHERE (id = 57 OR customer_id = 107) AND code::int > 10 AND ${o}`,
  },
  {
    name: "an aggregate of all rows",
    client: "SELECT count(*), sum(amount) FROM orders",
    byHand: `SELECT count(*), sum(amount) FROM orders o WHERE ${o}`,
  },
  {
    name: "groups",
    client: "SELECT status, count(*), avg(amount) FROM orders GROUP BY status ORDER BY status",
    byHand: `SELECT status, count(*), avg(amount) FROM orders o WHERE ${o} GROUP BY status ORDER BY status`,
  },
  {
    name: "groups by a call",
    client: "SELECT date_trunc('month', created_at) AS month, sum(amount) FROM orders GROUP BY 1 ORDER BY 1",
    byHand: `SELECT date_trunc('month', created_at) AS month, sum(amount) FROM orders o WHERE ${o} GROUP BY 1 ORDER BY 1`,
  },
  {
    name: "count(*) of a condition",
    client: "SELECT count(*) FROM orders WHERE status = 'open'",
    byHand: `SELECT count(*) FROM orders o WHERE status = 'open' AND ${o}`,
  },
  {
    name: "EXISTS",
    client: `SELECT c.id FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.amount > 999)`,
    byHand: `SELECT c.id FROM customers c WHERE ${c} AND EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.amount > 999 AND ${o})`,
  },
  {
    name: "IN (SELECT …)",
    client: "SELECT id FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE status = 'draft')",
    byHand: `SELECT id FROM customers c WHERE id IN (SELECT customer_id FROM orders o WHERE status = 'draft' AND ${o}) AND ${c}`,
  },
  {
    name: "a query of WITH",
    client:
      "WITH big AS (SELECT customer_id, sum(amount) AS total FROM orders GROUP BY customer_id) SELECT c.name, big.total FROM big JOIN customers c ON c.id = big.customer_id ORDER BY big.total DESC LIMIT 10",
    byHand: `WITH big AS (SELECT customer_id, sum(amount) AS total FROM orders o WHERE ${o} GROUP BY customer_id) SELECT c.name, big.total FROM big JOIN customers c ON c.id = big.customer_id WHERE ${c} ORDER BY big.total DESC LIMIT 10`,
  },
  {
    name: "a window",
    client:
      "SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY customer_id ORDER BY created_at DESC) AS n FROM orders) x WHERE n = 1 ORDER BY id LIMIT 10",
    byHand: `SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY customer_id ORDER BY created_at DESC) AS n FROM orders o WHERE ${o}) x WHERE n = 1 ORDER BY id LIMIT 10`,
  },
  {
    name: "a masked column by key",
    client: "SELECT id, email FROM customers WHERE id = 57",
    byHand: `SELECT id, regexp_replace(email, '^[^@]+', '***') AS email FROM customers c WHERE id = 57 AND ${c}`,
  },
  {
    name: "an update by key",
    client: "UPDATE orders SET note = 'x' WHERE id = 57",
    byHand: `UPDATE orders o SET note = 'x' WHERE id = 57 AND ${o}`,
  },
  {
    name: "an update by key beside a condition that can raise",
    client: "UPDATE orders SET note = 'x' WHERE id = 57 AND code::int > 10",
    byHand: `UPDATE orders o SET note = 'x' WHERE id = 57 AND code::int > 10 AND ${o}`,
  },
  {
    name: "a delete by key",
    client: "DELETE FROM orders WHERE id = 57",
    byHand: `DELETE FROM orders o WHERE id = 57 AND ${o}`,
  },
  {
    name: "an insert with a check",
    client:
      "INSERT INTO orders (id, tenant_id, customer_id, status, code, amount, created_at) VALUES (2000000, 7, 57, 'open', '1', 1, now())",
    byHand:
      "INSERT INTO orders (id, tenant_id, customer_id, status, code, amount, created_at) VALUES (2000000, 7, 57, 'open', '1', 1, now())",
  },
];
