import { refuse } from "../errors.ts";
import { parameterStatus, readParameterStatus } from "../wire/backend.ts";
import type { FrameReader } from "../wire/frames.ts";
import { parseSearchPath } from "../sql/search-path.ts";
import type { SessionState } from "./state.ts";

/** What a client is shown of a setting that the server reports: nothing of rolegate's own login. */
export function shownParameter(name: string, value: string, role: string): string {
  switch (name) {
    case "session_authorization":
      return role;
    case "is_superuser":
      return "off";
    default:
      return value;
  }
}

/** What statements are judged by; with any other value the judge and the server would read different texts. */
const required: ReadonlyMap<string, readonly string[]> = new Map([
  ["client_encoding", ["UTF8", "SQL_ASCII"]],
  ["standard_conforming_strings", ["on"]],
]);

/**
 * A setting that a rule depends on was changed all the same: by a function of the database that the role may call, or by
 * the administrator for all sessions. The rules would mean something else from here on.
 */
function keepPinned({ scope }: SessionState, setting: string, value: string): void {
  const kept = scope.context.pinned?.get(setting);
  if (kept === undefined || kept === value) return;
  refuse("session_ended", `a rule depends on the setting "${setting}", which was changed`, {
    detail: `It was "${kept}" and is "${value}" now: by a function that was called, or for all sessions.`,
    hint: "Connect again.",
  });
}

/**
 * ParameterStatus from the server: a setting was changed.
 * @throws RolegateError where the session must not go on with it
 */
export function reportParameter(session: SessionState, reader: FrameReader): void {
  const { name, value } = readParameterStatus(reader.buffer, reader.start, reader.end);
  const readable = required.get(name);
  if (readable?.includes(value) === false)
    refuse("session_ended", `the setting "${name}" was changed, by which the server reads texts`, {
      detail: "What is on record would not be what runs.",
      hint: `Connect again; it may be ${readable.join(" or ")}.`,
    });
  keepPinned(session, name.toLowerCase(), value);
  if (name === "search_path") {
    session.reportedPath =
      parseSearchPath(value, session.role.name) ?? refuse("internal", "search_path cannot be read");
  }
  if (name === "application_name") session.record.renameApplication(value);
  const shown = shownParameter(name, value, session.role.name);
  session.parameters.set(name, shown);
  session.toClient.add(parameterStatus(name, shown));
}
