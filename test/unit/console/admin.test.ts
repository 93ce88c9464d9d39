import { createServer } from "node:net";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { adminApp, type Health, startAdmin } from "../../../src/console/admin.ts";
import { createMetrics } from "../../../src/metrics.ts";

const ok: Health = { status: "ok", checks: { audit: "ok", "database shop": "ok" } };

function app(health: () => Health = () => ok): ReturnType<typeof adminApp> {
  return adminApp({ metrics: createMetrics(), health });
}

test.each<[Health["status"], number, number]>([
  ["ok", 200, 200],
  ["failing", 503, 503],
  ["stopping", 200, 503],
])("%s: /health answers %i, /ready %i", async (status, health, ready) => {
  const state: Health = { status, checks: { audit: status === "failing" ? "failing" : "ok" } };
  const answers = await Promise.all(
    ["/health", "/ready"].map(async (path) => app(() => state).request(path)),
  );
  expect(answers.map((answer) => answer.status)).toEqual([health, ready]);
  for (const answer of answers) expect(await answer.json()).toEqual(state);
});

test("/metrics answers in Prometheus' format, and is never cached", async () => {
  const answer = await app().request("/metrics");
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(await answer.text()).toContain("rolegate_sessions 0\n");
});

test.each(["/", "/metrics/", "/metric", "/console", "/healthz", "/metrics%00"])(
  "%s is not found",
  async (path) => {
    const answer = await app().request(path);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ error: "not found" });
  },
);

test("other methods are not found", async () => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    expect((await app().request("/health", { method })).status).toBe(404);
  }
});

test("a fault while answering says nothing of itself", async () => {
  const answer = await app(() => {
    throw new Error("password=hunter2");
  }).request("/health");
  expect(answer.status).toBe(500);
  expect(await answer.text()).toBe('{"error":"internal error"}');
});

test("listens on the address alone, and close ends it with its open connections", async () => {
  const address = { host: "127.0.0.1", port: 0 };
  const admin = await startAdmin({ address }, { metrics: createMetrics(), health: () => ok });
  expect(admin.address).toBe("127.0.0.1");
  const url = `http://127.0.0.1:${admin.port}/health`;
  expect(await (await fetch(url)).json()).toEqual(ok);
  await admin.close();
  await expect(fetch(url)).rejects.toThrow("fetch failed");
});

test("an address that is taken is an error", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const started = startAdmin(
    { address: { host: "127.0.0.1", port } },
    { metrics: createMetrics(), health: () => ok },
  );
  await expect(started).rejects.toThrow("EADDRINUSE");
});
