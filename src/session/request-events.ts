import { stateOf, type AccessRequest } from "../access/requests.ts";
import type { Recorder } from "../audit/recorder.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";

type Listeners = { readonly recorder: Recorder; readonly metrics: Metrics; readonly log: Logger };

const steps = { approve: "approved", deny: "denied", withdraw: "withdrawn" } as const;

/**
 * Puts on record what this instance has learned of a request, and raises the alarm for a broken glass. It comes before
 * anything that the request gives: no instance lets somebody in by a glass that it has not told of.
 * @param before as it was known; undefined: not at all
 */
export function tellOf(
  before: AccessRequest | undefined,
  request: AccessRequest,
  { recorder, metrics, log }: Listeners,
): void {
  if (before === undefined) {
    recorder.request("asked", request, undefined);
    metrics.requests.asked++;
    if (request.kind === "break-glass") {
      const { id, role, database, requester, reason } = request;
      metrics.glassesBroken++;
      log.error(
        { request: id, identity: requester.name, role, database, reason },
        "break-glass access was taken",
      );
    }
  }
  for (const decision of request.decisions.slice(before?.decisions.length ?? 0)) {
    const step = steps[decision.kind];
    recorder.request(step, request, decision);
    metrics.requests[step]++;
    const { id, role, database, requester } = request;
    const decided = stateOf(request, decision.at).kind;
    log.info(
      { request: id, by: decision.by.name, identity: requester.name, role, database, state: decided },
      `a request was ${step}`,
    );
  }
}
