import { BlockList, isIP } from "node:net";

/**
 * Tells whether an IP address is in one of some networks. An IPv4 address written as IPv6 is the same one, and so in no
 * network of IPv6, not even in ::/0.
 */
export type Networks = (address: string) => boolean;

const mapped = new BlockList();
mapped.addSubnet("::ffff:0:0", 96, "ipv6");

/**
 * @param networks IP addresses and networks, `10.0.0.0/8`.
 * @returns undefined if one of them is neither, or is of IPv4 and written as IPv6
 */
export function parseNetworks(networks: readonly string[]): Networks | undefined {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const network of networks) {
    const [address = "", length, ...more] = network.split("/");
    const version = isIP(address);
    const bits = version === 4 ? 32 : 128;
    if (version === 0 || more.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length)))
      return undefined;
    if (Number(length ?? bits) > bits || (version === 6 && mapped.check(address, "ipv6"))) return undefined;
    const family = version === 4 ? "ipv4" : "ipv6";
    lists[family].addSubnet(address, Number(length ?? bits), family);
  }
  return (address) => {
    const version = isIP(address);
    if (version === 0) return false;
    if (version === 4) return lists.ipv4.check(address, "ipv4");
    return lists[mapped.check(address, "ipv6") ? "ipv4" : "ipv6"].check(address, "ipv6");
  };
}

/**
 * One network, always with its length: `10.0.0.0/8`.
 * @returns undefined for anything else; else whether an address is in it, undefined for what is no IP address
 */
export function parseCidr(text: string): ((address: string) => boolean | undefined) | undefined {
  const networks = text.includes("/") ? parseNetworks([text]) : undefined;
  return networks && ((address) => (isIP(address) === 0 ? undefined : networks(address)));
}
