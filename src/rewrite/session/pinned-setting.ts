import type { Problem } from "../../errors.ts";
import { pinsOf, type Pin } from "../../policy/pinned-settings.ts";
import { parseSearchPath } from "../../sql/search-path.ts";
import type { JudgeContext } from "../judgement.ts";

type Premises = Pick<JudgeContext, "grants" | "catalog">;

/**
 * Why the sessions of a role have to keep a setting as the database configured it: one of the role's rules depends on it.
 * Undefined: they need not.
 * @param setting in lower case.
 */
export function pinOf({ grants, catalog }: Premises, setting: string): Pin | undefined {
  const pins = pinsOf(grants.origin.role, catalog);
  const custom = setting.includes(".") && !setting.startsWith("rolegate.");
  return pins.get(setting) ?? (custom ? pins.get("*") : undefined);
}

/** What a client is told that wants to change it. */
export function pinProblem(name: string, { source }: Pin, inForce: string | undefined): Problem {
  return {
    code: "setting_not_allowed",
    message: `permission denied to set parameter "${name}" to another value`,
    detail: `A rule depends on it (${source.file}:${source.line}), so it stays${inForce === undefined ? " as the database has it" : ` "${inForce}"`}.`,
    hint: "Leave the setting alone, or ask whoever keeps the role file to write the rule so that no setting has a part in it.",
  };
}

/**
 * Does a value say the same as the one that is in force? Where it does the client is told so, and what is sent in its
 * place is the default, so that what is taken for equal here can at most be a courtesy too many.
 * @param setting in lower case.
 */
export function saysTheSame(setting: string, value: string, inForce: string, role: string): boolean {
  switch (setting) {
    case "datestyle":
      return dateStyle(value, inForce) === dateStyle(inForce, inForce);
    case "timezone":
      return zoneName(value) === zoneName(inForce);
    case "extra_float_digits":
      // From PostgreSQL 12 on every value above 0 prints what is read back exactly.
      return value === inForce || (Number(value) > 0 && Number(inForce) > 0);
    case "search_path": {
      const [path, other] = [value, inForce].map((text) => parseSearchPath(text, role));
      return path !== undefined && JSON.stringify(path) === JSON.stringify(other);
    }
    default:
      return value.toLowerCase() === inForce.toLowerCase();
  }
}

/** Universal time; Sequelize asks for it as the interval +00:00. All of these print a timestamptz alike. */
const universal = /^(?:(?:etc\/)?(?:utc|uct|gmt|universal|zulu|greenwich)|[+-]?0+(?::00)*)$/;

function zoneName(zone: string): string {
  const name = zone.trim().toLowerCase();
  return universal.test(name) ? "utc" : name;
}

/** Output style and order of day and month that a value leaves behind (documentation, 8.5.2). */
function dateStyle(value: string, before: string): string | undefined {
  let [style, order] = before.toLowerCase().split(/\s*,\s*/);
  for (const word of value.toLowerCase().split(/\s*,\s*/)) {
    if (/^(?:iso|sql|german|postgres)$/.test(word)) style = word;
    else if (/^(?:ymd|dmy|mdy)$/.test(word)) order = word;
    else if (word.startsWith("euro")) order = "dmy";
    else if (word === "us" || word.startsWith("noneuro")) order = "mdy";
    else return undefined;
  }
  return `${style}, ${order}`;
}
