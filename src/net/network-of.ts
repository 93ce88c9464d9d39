import { isIP } from "node:net";

/**
 * The network that an address is counted with where guesses are limited: of IPv4 the 256 addresses around it, of IPv6
 * its /64, for so many are at one host's disposal. An IPv4 address written as IPv6 is the same one.
 * @param address as node:net gives it; anything that is no IP address is its own network
 */
export function networkOf(address: string): string {
  const mapped = address.slice(address.lastIndexOf(":") + 1);
  if (isIP(mapped) === 4) return `${mapped.slice(0, mapped.lastIndexOf("."))}.0/24`;
  if (isIP(address) !== 6) return address;
  const [before = "", after] = address.split("%")[0]!.split("::");
  const groups = before === "" ? [] : before.split(":");
  const tail = after === undefined || after === "" ? [] : after.split(":");
  const zeros = after === undefined ? 0 : 8 - groups.length - tail.length;
  const all = [...groups, ...Array.from({ length: zeros }, () => "0"), ...tail];
  const first = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(":")}::/64`;
}
