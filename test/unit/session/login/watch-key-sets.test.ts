import { Writable } from "node:stream";
import { expect, test } from "vitest";
import type { KeySetEvent } from "../../../../src/identity/key-set.ts";
import type { JwtIssuer } from "../../../../src/identity/jwt-issuer.ts";
import { createLogger } from "../../../../src/log.ts";
import { createMetrics } from "../../../../src/metrics.ts";
import { watchKeySets } from "../../../../src/session/login/watch-key-sets.ts";

test("the log and the metrics say what becomes of an issuer's keys", () => {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  let observer: ((event: KeySetEvent) => void) | undefined;
  const tell = (event: KeySetEvent) => observer?.(event);
  const keys = {
    find: () => Promise.reject(new Error("not asked here")),
    observe: (next: typeof tell) => void (observer = next),
  };
  const metrics = createMetrics();
  const issuer = { issuer: "https://id.example.com", keys } as unknown as JwtIssuer;
  watchKeySets([issuer], createLogger("debug", stream), metrics);

  tell({ kind: "fetched" });
  tell({ kind: "failed", reason: "status 500 instead of 200", lastKeys: true });
  tell({ kind: "stale" });
  tell({ kind: "stale" });
  tell({ kind: "failed", reason: "no answer in time", lastKeys: false });
  tell({ kind: "fetched" });
  tell({ kind: "fetched" });

  expect(metrics.keySet("https://id.example.com")).toEqual({ fetched: 3, failed: 2, stale: 2 });
  const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(said.map(({ level, issuer: of, reason, msg }) => [level, of, reason, msg])).toEqual([
    [
      "warn",
      "https://id.example.com",
      "status 500 instead of 200",
      "the issuer's keys cannot be had; the last ones are believed for now",
    ],
    [
      "error",
      "https://id.example.com",
      "no answer in time",
      "the issuer's keys cannot be had; its tokens are refused",
    ],
    ["info", "https://id.example.com", undefined, "the issuer's keys can be had again"],
  ]);
});
