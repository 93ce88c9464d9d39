import { isIP } from "node:net";
import type { SocketAddress } from "./config.ts";

/** `host:port` or `[ipv6]:port`; undefined if it is neither. The port may be 0, where the system is to pick one. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, ipv6, name = "", digits] = match;
  const port = Number(digits);
  if (port > 65_535 || (ipv6 !== undefined && isIP(ipv6) !== 6)) return undefined;
  return { host: ipv6 ?? name, port };
}
