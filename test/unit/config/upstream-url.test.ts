import { describe, expect, test } from "vitest";
import { parseSocketAddress } from "../../../src/config/socket-address.ts";
import { parseUpstreamUrl } from "../../../src/config/upstream-url.ts";

describe("parseUpstreamUrl reads", () => {
  const plain = {
    port: 5432,
    database: "shop",
    sslmode: "disable",
    sslrootcert: undefined,
    sslcert: undefined,
    sslkey: undefined,
    bound: false,
    minor: 2,
  };
  test.each([
    ["postgres://localhost/shop", { ...plain, host: "localhost" }],
    ["postgresql://127.0.0.1:5433/shop", { ...plain, host: "127.0.0.1", port: 5433 }],
    ["postgres://[::1]/shop", { ...plain, host: "::1" }],
    ["postgres:///shop?host=/var/run/postgresql", { ...plain, host: "/var/run/postgresql" }],
    ["postgres://%2Fvar%2Frun/shop", { ...plain, host: "/var/run" }],
    ["postgres://localhost/my%20db", { ...plain, host: "localhost", database: "my db" }],
    ["postgres://db/shop?sslmode=disable", { ...plain, host: "db" }],
    ["postgres://db/shop?sslmode=require", { ...plain, host: "db", sslmode: "require" }],
    ["postgres://db.x/shop?sslmode=verify-full", { ...plain, host: "db.x", sslmode: "verify-full" }],
    ["postgres://localhost/shop?max_protocol_version=3.0", { ...plain, host: "localhost", minor: 0 }],
    ["postgres://localhost/shop?max_protocol_version=latest", { ...plain, host: "localhost" }],
    [
      "postgres://db/shop?sslmode=verify-full&sslrootcert=system",
      { ...plain, host: "db", sslmode: "verify-full", sslrootcert: "system" },
    ],
    [
      "postgres://db/shop?sslmode=verify-full&sslcert=a.crt&sslkey=a.key&channel_binding=require",
      { ...plain, host: "db", sslmode: "verify-full", sslcert: "a.crt", sslkey: "a.key", bound: true },
    ],
    [
      "postgres://db/shop?sslmode=verify-ca&sslrootcert=ca.crt",
      { ...plain, host: "db", sslmode: "verify-ca", sslrootcert: "ca.crt" },
    ],
  ])("%s", (text, url) => {
    expect(parseUpstreamUrl(text)).toEqual({ kind: "url", url });
  });
});

describe("parseUpstreamUrl refuses", () => {
  test.each([
    ["db:5432/shop", "does not begin with postgres://"],
    ["mysql://db/shop", "does not begin with postgres://"],
    ["postgres://user:hunter2@localhost/shop", "a user or password"],
    ["postgres://:hunter2@localhost/shop", "a user or password"],
    ["postgres://user@localhost/shop", "a user or password"],
    ["postgres://localhost/shop?password=hunter2", "the parameter password"],
    ["postgres://localhost/shop?user=x", "the parameter user"],
    ["postgres://localhost/shop?hunter2!=1", "the parameter ?"],
    ["postgres://localhost/shop?options=-c%20role%3Dx", "the parameter options"],
    ["postgres://localhost/shop#hunter2", "a fragment"],
    ["postgres://localhost", "no usable database name"],
    ["postgres://localhost/", "no usable database name"],
    ["postgres://localhost/a/b", "no usable database name"],
    ["postgres://localhost/a%00b", "no usable database name"],
    ["postgres://localhost/%ff", "no usable database name"],
    ["postgres:///shop", "no usable host"],
    ["postgres://localhost/shop?host=/run", "no usable host"],
    ["postgres:///shop?host=db", "no usable host"],
    ["postgres://a,b/shop?sslmode=require", "no usable host"],
    ["postgres://a:1,b:2/shop", "several hosts"],
    ["postgres://localhost:0/shop", "port 0"],
    ["postgres://localhost:65536/shop", "no URL"],
    ["postgres://db/shop", "no sslmode"],
    ["postgres://10.0.0.1/shop", "no sslmode"],
    ["postgres://db/shop?sslmode=prefer", "sslmode=prefer, which falls back to plaintext"],
    ["postgres://db/shop?sslmode=allow", "sslmode=allow, which falls back to plaintext"],
    ["postgres://db/shop?sslmode=verify_full", "an unknown sslmode"],
    ["postgres://db/shop?sslmode=require&sslmode=disable", "the parameter sslmode twice"],
    ["postgres://db/shop?sslmode=require&sslrootcert=ca.crt", "sslrootcert with sslmode=require"],
    ["postgres://db/shop?sslmode=disable&sslrootcert=ca.crt", "sslrootcert without TLS"],
    ["postgres://db/shop?sslmode=verify-full&sslcert=a.crt", "one of sslcert and sslkey"],
    ["postgres://db/shop?sslmode=disable&sslcert=a&sslkey=b", "without TLS"],
    ["postgres://db/shop?sslmode=disable&channel_binding=require", "without TLS"],
    ["postgres://db/shop?sslmode=verify-full&channel_binding=disable", "another channel_binding"],
    ["postgres://db/shop?sslmode=verify-ca", "sslmode=verify-ca without an authority"],
    ["postgres://db/shop?sslmode=verify-ca&sslrootcert=system", "sslmode=verify-ca without an authority"],
    ["postgres://localhost/shop?max_protocol_version=3.3", "another max_protocol_version"],
    ["postgres:///shop?host=/run&sslmode=require", "an sslmode on a unix socket"],
  ])("%s", (text, found) => {
    const reading = parseUpstreamUrl(text);
    expect(reading).toMatchObject({ kind: "refused" });
    expect(reading.kind === "refused" && reading.found).toContain(found);
    expect(JSON.stringify(reading)).not.toContain("hunter2");
  });
});

describe("parseSocketAddress", () => {
  test.each([
    ["127.0.0.1:6432", { host: "127.0.0.1", port: 6432 }],
    ["[::1]:6432", { host: "::1", port: 6432 }],
    ["localhost:0", { host: "localhost", port: 0 }],
    ["0.0.0.0:65535", { host: "0.0.0.0", port: 65_535 }],
  ])("reads %s", (text, address) => {
    expect(parseSocketAddress(text)).toEqual(address);
  });

  test.each([
    "",
    "6432",
    ":6432",
    "localhost",
    "localhost:",
    "::1:6432",
    "[::1]",
    "[db]:1",
    "a b:1",
    "h:65536",
    "h:-1",
    "h:1x",
    "http://h:1",
    "h:1\n",
  ])("refuses %j", (text) => {
    expect(parseSocketAddress(text)).toBeUndefined();
  });
});
