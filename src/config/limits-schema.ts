import * as z from "zod";
import { duration } from "../document/duration.ts";
import { custom, mapping } from "../document/mapping.ts";
import { networks } from "./networks-setting.ts";
import { sourced } from "./sourced.ts";
import type { Sources } from "./sources.ts";

const count = z
  .int({ error: "a whole number" })
  .min(1, { error: "at least 1" })
  .max(100_000, { error: "at most 100000" });

/** `limits`. */
export function limitsSchema(sources: Sources | undefined) {
  return mapping({
    maxConnections: sourced(count, sources).prefault(1000).describe("Client connections at one time."),
    maxUnauthenticated: sourced(count, sources)
      .prefault(200)
      .describe("Of these, connections that have not yet logged in."),
    maxUnauthenticatedPerNetwork: sourced(count, sources)
      .optional()
      .describe("Of these, connections from one network. Left out: half of maxUnauthenticated."),
    authenticationTimeout: sourced(duration, sources)
      .prefault("30s")
      .describe("From the connection to the end of the log-in."),
    upstreamTimeout: sourced(duration, sources)
      .prefault("10s")
      .describe("For opening a connection to the database."),
    failedLogins: failedLoginsSchema(sources),
  })
    .superRefine((limits, context) => {
      const refuse = (path: string[], expected: string, found: string) =>
        context.addIssue({ ...custom(expected, found, "has no effect"), path });
      const { maxUnauthenticated, maxUnauthenticatedPerNetwork, authenticationTimeout, failedLogins } =
        limits;
      if ((maxUnauthenticatedPerNetwork ?? 1) > maxUnauthenticated)
        refuse(
          ["maxUnauthenticatedPerNetwork"],
          `at most maxUnauthenticated, ${maxUnauthenticated}`,
          String(maxUnauthenticatedPerNetwork),
        );
      const { maxDelay = 0 } = failedLogins;
      if (maxDelay >= authenticationTimeout)
        refuse(
          ["failedLogins", "maxDelay"],
          `less than authenticationTimeout, ${authenticationTimeout} ms`,
          `${maxDelay} ms`,
        );
    })
    .prefault({})
    .describe("Bounds on what clients may take up.");
}

function failedLoginsSchema(sources: Sources | undefined) {
  return mapping({
    within: sourced(duration, sources).prefault("10min").describe("For how long a failed login counts."),
    perUser: sourced(count, sources)
      .prefault(10)
      .describe("After so many with one name from one network, no login with that name is taken from there."),
    perNetwork: sourced(count, sources)
      .prefault(100)
      .describe("After so many from one network, no login is taken from there."),
    lockFor: sourced(duration, sources).prefault("10min").describe("For how long none is taken then."),
    perUserEverywhere: sourced(count, sources)
      .prefault(1000)
      .describe("After so many with one name, from wherever, each login with that name waits for maxDelay."),
    maxDelay: sourced(duration, sources)
      .optional()
      .describe(
        "The longest that a login is made to wait; the first failures cost less. Left out: 5s, or half of authenticationTimeout.",
      ),
    trusted: networks(sources)
      .optional()
      .describe("IP addresses and networks (`10.0.0.0/8`) from which failed logins are not counted."),
  })
    .prefault({})
    .describe("How guessing of passwords and tokens is slowed down and stopped.");
}
