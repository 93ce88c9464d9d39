import type { AccessEntry, OnRequest } from "../../../src/access/access-entry.ts";
import { ruleText } from "../../../src/access/access-entry.ts";
import { compileApprovers } from "../../../src/access/approver-condition.ts";
import { compileCondition } from "../../../src/access/condition.ts";
import type { AccessRequest, Decision, DecisionKind } from "../../../src/access/requests.ts";
import type { Identity } from "../../../src/identity/identity.ts";

export const minute = 60_000;
export const hour = 3_600_000;

const attributes = new Set(["groups", "level"]);

/** Somebody with a password. */
export function person(name: string, groups: readonly string[] = [], more: Partial<Identity> = {}): Identity {
  return {
    name,
    method: "password",
    attributes: { groups },
    credential: { kind: "password" },
    signedInAt: 0,
    mfa: false,
    expiresAt: undefined,
    ...more,
  };
}

/** The same name by a token. */
export function byToken(name: string, groups: readonly string[], issuer = "https://id.example"): Identity {
  return person(name, groups, {
    method: "jwt",
    credential: { kind: "token", issuer, id: undefined, key: undefined, digest: "" },
  });
}

const connection = { address: "127.0.0.1", tls: true, database: "shop", applicationName: "psql" };

export function at(identity: Identity) {
  return { identity, connection: { ...connection, database: "rolegate" } };
}

export function entry(role: string, when: string, onRequest?: OnRequest): AccessEntry {
  const compiled = compileCondition(when, attributes);
  if (compiled.kind === "refused") throw new Error(compiled.found);
  return { role, database: "shop", condition: compiled.condition, onRequest, file: "rolegate.yaml", line: 1 };
}

/** Approved by leads, for up to an hour. */
export function byApproval(
  more: { approvals?: number; approvers?: string; selfApproval?: boolean } = {},
): OnRequest {
  const { approvals = 1, approvers = '"leads" in identity.groups', selfApproval = false } = more;
  const compiled = compileApprovers(approvers, attributes);
  if (compiled.kind === "refused") throw new Error(compiled.found);
  return { kind: "approval", maxDuration: hour, approvals, approvers: compiled.condition, selfApproval };
}

export const breakGlass: OnRequest = { kind: "break-glass", maxDuration: 15 * minute };

/** A request for half an hour under the entry, made at time 0. */
export function requestUnder(
  under: AccessEntry,
  requester: Identity,
  decisions: readonly Decision[] = [],
): AccessRequest {
  const { onRequest } = under;
  if (onRequest === undefined) throw new Error("nothing to ask for");
  return {
    id: 17,
    kind: onRequest.kind,
    rule: ruleText(under),
    requester,
    connection,
    role: under.role,
    database: under.database,
    duration: onRequest.kind === "approval" ? 30 * minute : 15 * minute,
    reason: "the queue is stuck",
    approvals: onRequest.kind === "approval" ? onRequest.approvals : 0,
    askedAt: 0,
    decisions,
  };
}

export function decided(kind: DecisionKind, name: string, time: number, origin = "password"): Decision {
  return { kind, by: { name, origin }, comment: "", at: time };
}
