import { styleText } from "node:util";
import type { Outcome } from "../access/condition.ts";
import type { ConditionPart } from "../access/explain-condition.ts";
import { visible } from "../audit/escape.ts";
import type { AccessReport, ReportedDatabase, ReportedEntry } from "./access-report.ts";

type Paint = (style: "bold" | "dim" | "green" | "red", text: string) => string;

/** For people. `why`: entry by entry, with what the parts of each condition come to. */
export function formatAccess(
  report: AccessReport,
  { coloured, why }: { readonly coloured: boolean; readonly why: boolean },
): string {
  const paint: Paint = (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text);
  const { address, tls, applicationName } = report.connection;
  const name = visible(JSON.stringify(applicationName));
  return [
    ...report.identities.flatMap(({ identity, databases }) => [
      whoLine(identity, report.time, paint),
      ...databases.flatMap((database) => [
        ...databaseLines(database, paint),
        ...(why ? database.entries.flatMap((entry) => entryLines(entry, paint)) : []),
      ]),
      "",
    ]),
    paint(
      "dim",
      `taken: at ${report.time}, from ${address} ${tls ? "over" : "without"} TLS, application_name ${name}`,
    ),
    "",
  ].join("\n");
}

function whoLine(
  { name, method, mfa, attributes, signedIn }: AccessReport["identities"][number]["identity"],
  time: string,
  paint: Paint,
): string {
  const how = method === "password" ? "password" : method === "certificate" ? "a certificate" : "a token";
  const known = Object.entries(attributes).map(([key, value]) => `${key} ${visible(JSON.stringify(value))}`);
  const factors = mfa ? [", several factors"] : [];
  const age = Math.round((Date.parse(time) - Date.parse(signedIn)) / 60_000);
  const ago = age <= 0 ? [] : [`, signed in ${age < 120 ? `${age} min` : `${Math.round(age / 60)} h`} ago`];
  const all = known.length === 0 ? [] : [`: ${known.join(", ")}`];
  return [paint("bold", visible(name)), ", by ", how, ...factors, ...ago, ...all].join("");
}

function databaseLines({ database, role, roles }: ReportedDatabase, paint: Paint): string[] {
  const others = roles.filter((other) => other !== role).join(", ");
  const first = role === undefined ? paint("red", "no role") : `role ${paint("green", role)}`;
  const more = others === "" ? "" : role === undefined ? `, by name ${others}` : `, and may take ${others}`;
  return [`  database ${database}: ${first}${more}`];
}

function entryLines(
  { role, place, fits, onRequest, because, refused }: ReportedEntry,
  paint: Paint,
): string[] {
  const ways = { approval: ", and has to be asked for", "break-glass": ", by breaking the glass" };
  const way = fits && onRequest !== undefined ? ways[onRequest] : "";
  const verdict = (fits ? paint("green", "fits") : paint("red", "does not fit")) + way;
  return [
    `    ${role}, by ${place}: ${verdict}`,
    ...(refused === undefined ? [] : [`      ${paint("red", "refused")}: ${visible(refused)}`]),
    ...partLines(because, "      "),
  ];
}

function partLines(part: ConditionPart, indent: string): string[] {
  if (part.kind === "part") {
    const text = visible(part.text.replaceAll(/\s+/g, " "));
    return [`${indent}${valueOf(part.outcome)}${text}${reasonOf(part.outcome)}`];
  }
  return [
    `${indent}${valueOf(part.outcome)}${part.kind}`,
    ...part.parts.flatMap((below) => partLines(below, `${indent}  `)),
  ];
}

function valueOf(outcome: Outcome): string {
  const known = outcome.kind === "fits" ? "true" : isFalse(outcome) ? "false" : "?";
  return known.padEnd(7);
}

function isFalse(outcome: Outcome): boolean {
  return outcome.kind === "does not fit" && outcome.lacks === undefined;
}

function reasonOf(outcome: Outcome): string {
  if (outcome.kind === "failed") return `  (fails: ${visible(outcome.reason)})`;
  if (outcome.kind === "does not fit" && outcome.lacks !== undefined)
    return `  (there is no identity.${outcome.lacks})`;
  return "";
}
