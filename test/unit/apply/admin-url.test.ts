import { expect, test } from "vitest";
import { assertPrivateUrl } from "../../../src/apply/admin-url.ts";

test.each([
  "postgres://postgres:secret@localhost/shop",
  "postgres://postgres:secret@127.0.0.1:5432/shop",
  "postgres://postgres:secret@[::1]/shop",
  "postgres://postgres@/shop?host=/var/run/postgresql",
  "postgres:///shop",
  "postgres://postgres:secret@db.internal/shop?sslmode=verify-full",
  "postgres://postgres:secret@db.internal/shop?sslmode=require",
])("%s keeps the password to itself", (url) => {
  expect(() => assertPrivateUrl(url)).not.toThrow();
});

test.each([
  "postgres://postgres:secret@db.internal/shop",
  "postgres://postgres:secret@192.0.2.1/shop?sslmode=disable",
  "postgres://postgres:secret@localhost/shop?host=db.internal",
  "postgres://postgres:secret@db.internal/shop?sslmode=prefer",
  "postgres://postgres:secret@db.internal/shop?sslmode=no-verify",
])("%s is refused", (url) => {
  expect(() => assertPrivateUrl(url)).toThrow(/^the administrator's connection: found (no|another) sslmode/);
  expect(() => assertPrivateUrl(url)).not.toThrow(/secret/);
});
