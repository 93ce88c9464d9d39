import { BlockList, isIP } from "node:net";

/** Tells whether an IP address is in one of some networks; an IPv4 address written as IPv6 is the same one. */
export type Networks = (address: string) => boolean;

/**
 * @param networks IP addresses and networks, `10.0.0.0/8`.
 * @returns undefined if one of them is neither
 */
export function parseNetworks(networks: readonly string[]): Networks | undefined {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", length, ...more] = network.split("/");
    const version = isIP(address);
    const bits = version === 4 ? 32 : 128;
    if (version === 0 || more.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length)))
      return undefined;
    if (Number(length ?? bits) > bits) return undefined;
    list.addSubnet(address, Number(length ?? bits), version === 4 ? "ipv4" : "ipv6");
  }
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6");
  };
}
