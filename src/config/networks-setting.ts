import * as z from "zod";
import { custom, text } from "../document/mapping.ts";
import { parseNetworks } from "../identity/networks.ts";
import { sourced } from "./sourced.ts";
import type { Sources } from "./sources.ts";

/** A list of IP addresses and networks. */
export function networks(sources: Sources | undefined) {
  const expected = "IP addresses and networks, such as 10.0.0.0/8";
  const list = z.array(sourced(text(expected), sources), { error: expected }).min(1, { error: expected });
  return list.transform((values, context) => {
    const parsed = parseNetworks(values);
    if (parsed !== undefined) return parsed;
    context.addIssue(custom(expected, undefined, "wrong value"));
    return z.NEVER;
  });
}
