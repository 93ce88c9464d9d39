import type { Problem } from "../errors.ts";
import type { AccessEntry } from "./access-entry.ts";
import type { Someone } from "./ask.ts";
import {
  entryOf,
  isSamePerson,
  likeness,
  personOf,
  stateOf,
  type AccessRequest,
  type DecisionKind,
} from "./requests.ts";

/**
 * Whether somebody may decide a request like this, now. Everything is looked at again: the request's state, the entry
 * that it was asked under, the condition on approvers, and that on whoever asked.
 * @param now milliseconds since the epoch, by the store's clock.
 * @returns why not, or undefined
 */
export function decisionProblem(
  kind: DecisionKind,
  request: AccessRequest,
  someone: Someone,
  now: number,
  entries: readonly AccessEntry[],
): Problem | undefined {
  const own = isOwn(request, someone);
  // Whoever has nothing to do with a request does not learn that it exists.
  if (kind === "withdraw" ? !own : !own && !mayDecide(request, someone, now, entries))
    return unknownRequest(request.id);
  const state = stateOf(request, now).kind;
  if (state !== "pending" && (kind === "approve" || state !== "in force"))
    return {
      code: "request_settled",
      message: `request ${request.id} is ${state}`,
      hint: "Whoever still wants the role asks again.",
    };
  if (kind === "withdraw") return undefined;
  if (!mayDecide(request, someone, now, entries)) return notAllowed("nobody decides a request of their own");
  return kind === "approve" ? approvalProblem(request, someone, now, entries) : undefined;
}

/** Whether they are among those who may approve and deny it. */
function mayDecide(
  request: AccessRequest,
  { identity, connection }: Someone,
  now: number,
  entries: readonly AccessEntry[],
): boolean {
  const onRequest = entryOf(request, entries)?.onRequest;
  if (onRequest?.kind !== "approval") return false;
  const { role, database, duration, requester } = request;
  const asked = { role, database, duration, requester: requester.name };
  return onRequest.approvers.evaluate(identity, connection, now, asked).kind === "fits";
}

export function isOwn({ requester }: AccessRequest, { identity }: Someone): boolean {
  return isSamePerson(personOf(requester), personOf(identity));
}

/** The same for one that does not exist and for one that is none of theirs. */
export function unknownRequest(id: number): Problem {
  return {
    code: "request_unknown",
    message: `there is no request ${id} that you may decide`,
    hint: "SHOW REQUESTS lists those that you may.",
  };
}

function approvalProblem(
  request: AccessRequest,
  { identity }: Someone,
  now: number,
  entries: readonly AccessEntry[],
): Problem | undefined {
  const entry = entryOf(request, entries);
  const person = likeness(identity.name);
  const self = likeness(request.requester.name) === person;
  if (self && !(entry?.onRequest?.kind === "approval" && entry.onRequest.selfApproval))
    return notAllowed("nobody approves a request of their own");
  if (request.decisions.some(({ kind, by }) => kind === "approve" && likeness(by.name) === person))
    return notAllowed(`"${identity.name}" has approved request ${request.id} already`);
  const { requester, connection } = request;
  if (entry?.condition.evaluate(requester, connection, now).kind !== "fits")
    return notAllowed(`"${requester.name}" may not ask for the role any more`);
  return undefined;
}

function notAllowed(message: string): Problem {
  return { code: "request_not_allowed", message };
}
