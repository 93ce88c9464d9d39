import { readFileSync } from "node:fs";

/** A table of a Markdown file as rows of cells, without its head; backticks and escaped bars are taken away. */
export function tableUnder(file: string, heading: string): string[][] {
  const lines = readFileSync(file, "utf8").split("\n");
  const at = lines.indexOf(heading);
  if (at < 0) throw new Error(`${file}: no heading "${heading}"`);
  const section = lines.slice(at + 1);
  const end = section.findIndex((line) => /^#{1,6} /.test(line));
  const rows = section.slice(0, end < 0 ? undefined : end).filter((line) => line.startsWith("|"));
  if (rows.length < 3) throw new Error(`${file}: no table under "${heading}"`);
  return rows.slice(2).map(cells);
}

function cells(row: string): string[] {
  return row
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.replaceAll("\\|", "|").trim());
}

/** The texts between backticks. */
export function codes(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
}
