import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { codes } from "./markdown-table.ts";

const root = path.resolve(import.meta.dirname, "../..");
const pages = globSync(["*.md", "docs/**/*.md"], { cwd: root }).toSorted();

/** Headings as the anchors that they get: lower case, spaces to hyphens, everything else but letters dropped. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function brokenLinks(page: string): string[] {
  const text = readFileSync(path.join(root, page), "utf8");
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
  return targets
    .filter((target) => !/^https?:/.test(target))
    .filter((target) => {
      const [file = "", anchor] = target.split("#");
      const at = file === "" ? path.join(root, page) : path.resolve(root, path.dirname(page), file);
      if (!existsSync(at)) return true;
      return anchor !== undefined && !anchors(readFileSync(at, "utf8")).includes(anchor);
    });
}

/** `src/sql/parser.ts` in backticks: a file of this repository that the text speaks of. */
function missingFiles(page: string): string[] {
  const text = readFileSync(path.join(root, page), "utf8").replaceAll(/```[^]*?```/g, "");
  return codes(text).filter(
    (name) => /^(src|test|docs|bench|schemas)\/[\w./-]*$/.test(name) && !existsSync(path.join(root, name)),
  );
}

test.each(pages)("%s links to what is there", (page) => {
  expect(brokenLinks(page)).toEqual([]);
  expect(missingFiles(page)).toEqual([]);
});
