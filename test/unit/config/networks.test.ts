import { expect, test } from "vitest";
import { parseNetworks } from "../../../src/config/networks.ts";

test("an address is in a network, or is not, however it is written", () => {
  const trusted = parseNetworks(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"])!;
  const inside = ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8::1"];
  const outside = ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::ffff:11.0.0.1", "", "localhost", "10.0.0.0/8"];
  expect(inside.filter((address) => !trusted(address))).toEqual([]);
  expect(outside.filter((address) => trusted(address))).toEqual([]);
});

test.each([
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
