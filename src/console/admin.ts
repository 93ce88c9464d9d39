import { once } from "node:events";
import { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import type { Metrics } from "../metrics.ts";

/** The state of the proxy; a check has a name and no details, because whoever reaches the port reads them. */
export type Health = {
  /** `stopping`: it still serves its sessions, and takes no new ones. */
  readonly status: "ok" | "failing" | "stopping";
  /** What is needed to serve, e.g. `audit` and `database shop`. */
  readonly checks: Readonly<Record<string, "ok" | "failing">>;
};

export type Admin = { readonly address: string; readonly port: number; close(): Promise<void> };

/** Enough for a scraper, two probes and a person; more is somebody wearing it down. */
const mostConnections = 32;

const headersMillis = 5_000;
const requestMillis = 10_000;

/**
 * Serves `/health`, `/ready` and `/metrics` on the address alone, in plain HTTP and to whoever reaches it.
 * Throws the system's error if it cannot listen there.
 */
export async function startAdmin(
  { address }: { readonly address: { readonly host: string; readonly port: number } },
  state: { readonly metrics: Metrics; readonly health: () => Health },
): Promise<Admin> {
  const server = createAdaptorServer({ fetch: adminApp(state).fetch });
  if (!(server instanceof Server)) throw new TypeError("the admin address is served over HTTP/1.1");
  server.maxConnections = mostConnections;
  server.headersTimeout = headersMillis;
  server.requestTimeout = requestMillis;
  server.listen(address.port, address.host);
  await once(server, "listening");
  const bound = server.address() as AddressInfo;
  return {
    address: bound.address,
    port: bound.port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The routes, without a socket. */
export function adminApp({
  metrics,
  health,
}: {
  readonly metrics: Metrics;
  readonly health: () => Health;
}): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header("Cache-Control", "no-store");
    context.header("X-Content-Type-Options", "nosniff");
  });
  // Alive and able to serve: to be restarted or looked after if not, but not while it ends its sessions.
  app.get("/health", (context) => {
    const state = health();
    return context.json(state, state.status === "failing" ? 503 : 200);
  });
  // To be sent new clients.
  app.get("/ready", (context) => {
    const state = health();
    return context.json(state, state.status === "ok" ? 200 : 503);
  });
  app.get("/metrics", async (context) => {
    return context.body(await metrics.text(), 200, { "Content-Type": metrics.contentType });
  });
  app.notFound((context) => context.json({ error: "not found" }, 404));
  // An error's text may hold anything.
  app.onError((_error, context) => context.json({ error: "internal error" }, 500));
  return app;
}
