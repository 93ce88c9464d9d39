import { expect, test } from "vitest";
import { parseNetworks } from "../../../src/identity/networks.ts";

test("an address is in a network, or is not, however it is written", () => {
  const trusted = parseNetworks(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"])!;
  const inside = ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8::1"];
  const outside = ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::ffff:11.0.0.1", "", "localhost", "10.0.0.0/8"];
  expect(inside.filter((address) => !trusted(address))).toEqual([]);
  expect(outside.filter((address) => trusted(address))).toEqual([]);
});

test("a network of IPv6 holds no address of IPv4, however it is written", () => {
  const all = parseNetworks(["::/0"])!;
  expect(["2001:db8::1", "::1"].filter((address) => !all(address))).toEqual([]);
  expect(["10.1.2.3", "::ffff:10.1.2.3", "::ffff:a01:203"].filter((address) => all(address))).toEqual([]);
});

test.each([
  "::ffff:10.0.0.0/104",
  "::ffff:127.0.0.1",
  "10.0.0.0/33",
  "10.0.0/8",
  "::/129",
  "10.0.0.0/8/8",
  "10.0.0.0/-1",
  "10.0.0.0/",
  "example.com",
  "",
])("%s is no network", (network) => {
  expect(parseNetworks(["127.0.0.1", network])).toBeUndefined();
});
