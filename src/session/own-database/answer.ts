import { shownDuration, textProblem, type Someone } from "../../access/ask.ts";
import { personOf, stateOf, type AccessRequest } from "../../access/requests.ts";
import { refuse, RolegateError } from "../../errors.ts";
import type { Requests } from "../requests.ts";
import type { Command } from "./command.ts";

/** Rows of text, and the command tag. */
export type Answer = {
  readonly rows: readonly (readonly string[])[];
  readonly tag: string;
};

/** Undefined: there is no store. */
export type Asking = Pick<Requests, "ask" | "decide" | "list" | "may" | "now"> | undefined;

const verbs = ["approve", "deny", "withdraw"] as const;

const requestColumns = [
  "id",
  "requester",
  "origin",
  "role",
  "database",
  "duration",
  "reason",
  "state",
  "approvals",
  "asked_at",
  "until",
  "you_may",
] as const;

const identityColumns = [
  "name",
  "method",
  "origin",
  "mfa",
  "signed_in_at",
  "expires_at",
  "attributes",
] as const;

/** The columns of a command's answer. */
export function columnsOf({ kind }: Command): readonly string[] {
  return kind === "show identity" ? identityColumns : requestColumns;
}

/** What the record calls a command. */
export function kindOf(command: Command): string {
  switch (command.kind) {
    case "ask":
      return command.ask.kind === "approval" ? "REQUEST" : "BREAK GLASS";
    case "approve":
    case "deny":
    case "withdraw":
      return command.kind.toUpperCase();
    case "show requests":
    case "show identity":
      break;
  }
  return "SHOW";
}

/**
 * Does what somebody says.
 * @throws RolegateError where they may not, or the store is away
 */
export async function answer(command: Command, someone: Someone, requests: Asking): Promise<Answer> {
  if (command.kind === "show identity") return { rows: [identityRow(someone)], tag: "SHOW" };
  if (requests === undefined)
    return refuse("statement_not_supported", "nothing can be asked for here: rolegate has no store", {
      hint: "Whoever operates rolegate adds `store` to rolegate.yaml.",
    });
  const row = (request: AccessRequest): readonly string[] => requestRow(request, someone, requests);
  const tag = kindOf(command);
  switch (command.kind) {
    case "show requests":
      return { rows: (await requests.list(someone)).map(row), tag };
    case "ask":
      return { rows: [row(await requests.ask(command.ask, someone))], tag };
    case "approve":
    case "deny":
    case "withdraw":
      break;
  }
  const { kind, request, comment } = command;
  const problem =
    kind === "deny" || comment !== ""
      ? textProblem(kind === "deny" ? "reason" : "comment", comment)
      : undefined;
  if (problem !== undefined) throw new RolegateError(problem);
  return { rows: [row(await requests.decide(kind, request, comment, someone))], tag };
}

function requestRow(
  request: AccessRequest,
  someone: Someone,
  requests: NonNullable<Asking>,
): readonly string[] {
  const { id, requester, role, database, duration, reason, approvals, askedAt, decisions } = request;
  const { now } = requests;
  const state = stateOf(request, now);
  const open = state.kind === "pending" || state.kind === "in force";
  const approved = decisions.filter(({ kind }) => kind === "approve").length;
  const may = verbs.filter((kind) => requests.may(kind, request, someone));
  return [
    String(id),
    requester.name,
    // The same name from another issuer is somebody else, and whoever decides has to know whom.
    personOf(requester).origin,
    role,
    database,
    shownDuration(duration),
    reason,
    state.kind,
    approvals === 0 ? "" : `${approved} of ${approvals}`,
    shownTime(askedAt),
    open ? shownTime(state.until) : "",
    may.join(", "),
  ];
}

function identityRow({ identity }: Someone): readonly string[] {
  const { name, method, mfa, signedInAt, expiresAt, attributes } = identity;
  return [
    name,
    method,
    personOf(identity).origin,
    String(mfa),
    shownTime(signedInAt),
    expiresAt === undefined ? "" : shownTime(expiresAt),
    JSON.stringify(attributes),
  ];
}

/** To the second, in UTC. */
function shownTime(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}
