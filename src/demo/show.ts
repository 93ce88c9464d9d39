import type { Answer } from "./visitor.ts";

/** The answer as psql shows it, a line each. */
export function showAnswer(answer: Answer): string[] {
  if (answer.kind === "rows") return showTable(answer.columns, answer.rows);
  const { severity, code, message, detail, hint } = answer.error;
  return [
    `${severity}:  ${code}: ${message}`,
    ...(detail === undefined ? [] : [`DETAIL:  ${detail}`]),
    ...(hint === undefined ? [] : [`HINT:  ${hint}`]),
  ];
}

function showTable(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((name, index) =>
    Math.max(name.length, ...rows.map((row) => row[index]!.length)),
  );
  const line = (cells: readonly string[]) =>
    ` ${cells.map((cell, index) => cell.padEnd(widths[index]!)).join(" | ")}`.trimEnd();
  const count = rows.length === 1 ? "(1 row)" : `(${rows.length} rows)`;
  return [line(columns), widths.map((width) => "-".repeat(width + 2)).join("+"), ...rows.map(line), count];
}
