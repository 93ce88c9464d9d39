import type { JwtIssuer } from "../../identity/jwt-issuer.ts";
import type { Logger } from "../../log.ts";
import type { Metrics } from "../../metrics.ts";

/** Says in the log and the metrics from now on what becomes of the issuers' keys. */
export function watchKeySets(issuers: readonly JwtIssuer[], log: Logger, metrics: Metrics): void {
  for (const { issuer, keys } of issuers) {
    const counts = metrics.keySet(issuer);
    let failing = false;
    keys.observe((event) => {
      counts[event.kind]++;
      switch (event.kind) {
        case "fetched":
          if (failing) log.info({ issuer }, "the issuer's keys can be had again");
          failing = false;
          break;
        case "failed": {
          failing = true;
          const { reason } = event;
          if (event.lastKeys)
            log.warn(
              { issuer, reason },
              "the issuer's keys cannot be had; the last ones are believed for now",
            );
          else log.error({ issuer, reason }, "the issuer's keys cannot be had; its tokens are refused");
          break;
        }
        case "stale":
          break;
      }
    });
  }
}
