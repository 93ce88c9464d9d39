import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** True for 127.0.0.0/8, ::1 and their IPv4-mapped spellings (`::ffff:127.0.0.1`); false for anything that is no IP address. */
export function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && loopback.check(address, version === 6 ? "ipv6" : "ipv4");
}

/** True for a host that is this machine whoever answers for names: `localhost`, or a loopback address without brackets. */
export function isThisMachine(host: string): boolean {
  return host === "localhost" || isLoopback(host);
}
