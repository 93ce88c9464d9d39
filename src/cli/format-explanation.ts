import { styleText } from "node:util";
import { visible } from "../audit/escape.ts";
import type { ExplainedStatement, Explanation } from "./explanation.ts";
import type { FiredRule } from "./rule-texts.ts";

/** Puts a text in a colour, or leaves it as it is. */
type Paint = (style: "bold" | "dim" | "green" | "red", text: string) => string;

/** For people: who, as which role, the verdict, and for each statement its rules and what is sent. */
export function formatExplanation(explanation: Explanation, coloured: boolean): string {
  const paint: Paint = (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text);
  const { verdict, refusal, statements } = explanation;
  const several = statements.length > 1;
  return [
    ...whoLines(explanation, paint),
    "",
    paint("bold", paint(verdict === "run" ? "green" : "red", verdict === "run" ? "RUNS" : "REFUSED")) +
      (several && verdict === "refuse" ? "  as a whole: none of the statements runs" : ""),
    ...(refusal === undefined
      ? []
      : [
          `  ERROR:  ${visible(refusal.message)}  (${refusal.sqlstate})`,
          ...(refusal.detail === undefined ? [] : [`  DETAIL: ${visible(refusal.detail)}`]),
          ...(refusal.hint === undefined ? [] : [`  HINT:   ${visible(refusal.hint)}`]),
          ...(refusal.position === undefined ? [] : [`  at character ${refusal.position}`]),
        ]),
    ...statements.flatMap((statement, index) =>
      statementLines(statement, several ? index + 1 : undefined, paint),
    ),
    "",
  ].join("\n");
}

function whoLines(explanation: Explanation, paint: Paint): string[] {
  const { identity, connection, roles, failures, role, access, searchPath } = explanation;
  const attributes = Object.entries(identity.attributes)
    .map(([name, value]) => `${name} ${visible(JSON.stringify(value))}`)
    .join(", ");
  const method = identity.method === "jwt" ? "a token" : "password";
  const others = roles.filter((other) => other !== role).join(", ");
  const { address, tls, applicationName, database } = connection;
  const name = visible(JSON.stringify(applicationName));
  const how = `from ${visible(address)} ${tls ? "over" : "without"} TLS, application_name ${name}`;
  return [
    `${paint("bold", visible(identity.name))}, by ${method}${attributes && `: ${attributes}`}`,
    role === undefined
      ? `no role of database ${database}`
      : `role ${paint("bold", role)} of database ${database}${access === undefined ? "" : `, by ${access}`}`,
    ...(others === "" ? [] : [`${role === undefined ? "may take" : "may also take"} ${others}`]),
    ...failures.map((failure) => `could not be evaluated: ${visible(failure)}`),
    paint("dim", `taken: ${how}${searchPath.length === 0 ? "" : `, search_path ${searchPath.join(", ")}`}`),
  ];
}

function statementLines(statement: ExplainedStatement, number: number | undefined, paint: Paint): string[] {
  const { kind, relations, rules, sent, notes, sql, verdict } = statement;
  const named = [
    ...(number === undefined ? [] : [`${number}.`]),
    ...(verdict === "unjudged" ? [paint("dim", "not looked at any more")] : [kind]),
    ...(relations.length === 0 ? [] : [`on ${relations.join(", ")}`]),
    ...(number !== undefined && verdict === "refuse" ? [paint("red", "may not run")] : []),
  ];
  return [
    "",
    named.join(" "),
    ...(number === undefined ? [] : labelled("sql", [sql], paint)),
    ...labelled("rules", ruleLines(rules), paint),
    ...(verdict !== "run"
      ? []
      : labelled("sent", sent === undefined ? ["as it is"] : sent.trim().split("\n"), paint)),
    ...labelled("note", notes, paint),
  ];
}

function ruleLines(rules: readonly FiredRule[]): string[] {
  const width = (column: "place" | "key"): number => Math.max(0, ...rules.map((rule) => rule[column].length));
  return rules.map(({ place, key, text }) =>
    `${place.padEnd(width("place"))}  ${key.padEnd(width("key"))}  ${visible(text.trim())}`.trimEnd(),
  );
}

function labelled(label: string, lines: readonly string[], paint: Paint): string[] {
  return lines.map(
    (line, index) => `  ${paint("dim", (index === 0 ? label : "").padEnd(5))}  ${shown(line)}`,
  );
}

/** Tabs align, and cannot act on a terminal. */
function shown(line: string): string {
  return visible(line.replaceAll("\t", "    ").replaceAll("\r", ""));
}
