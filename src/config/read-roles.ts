import { readdirSync } from "node:fs";
import path from "node:path";
import { type RoleReading, readRoleFile } from "../policy/read.ts";
import { type Reading, read, report, sinkAt } from "./reading.ts";
import { readText } from "./sources.ts";

/** A role file with its names: `file` relative to the configuration file, `shownAs` to the working directory. */
export type PlacedRole = RoleReading & { readonly file: string; readonly shownAs: string };

/** The role files of the `roles` directory, in the order of their names; the problems of each are added. */
export function readRoles(reading: Reading): readonly PlacedRole[] {
  const directory = read(reading, ["roles"], reading.schemas.roles);
  if (directory === undefined) return [];
  const files = list(reading, directory);
  return files.flatMap((name): PlacedRole[] => {
    const file = path.join(directory, name);
    const shownAs = path.isAbsolute(directory) ? file : path.join(path.dirname(reading.document.file), file);
    let found: string | undefined;
    const text = readText(file, reading.sources, { addIssue: ({ params }) => void (found = params.found) });
    if (text === undefined) {
      reading.problems.push({
        file: shownAs,
        line: 1,
        setting: "",
        message: "unreadable file",
        found: found ?? "an error",
        expected: "a readable text file",
      });
      return [];
    }
    const role = readRoleFile(text, file, shownAs);
    reading.problems.push(...role.problems);
    return [{ ...role, file, shownAs }];
  });
}

function list(reading: Reading, directory: string): readonly string[] {
  const sink = sinkAt(reading, ["roles"]);
  try {
    const entries = readdirSync(path.resolve(reading.sources.directory, directory), { withFileTypes: true });
    // Names with a dot in front are not the operator's: `..data` of a mounted ConfigMap, editors' swap files.
    const visible = entries.filter((entry) => !entry.name.startsWith("."));
    for (const entry of visible) {
      // A rule that silently does nothing is what nobody wants: what is not read is refused.
      if (entry.isDirectory())
        report(
          reading,
          ["roles"],
          "a directory among the role files",
          "role files directly in it",
          `\`${entry.name}/\``,
        );
    }
    const files = visible
      .filter((entry) => !entry.isDirectory() && /\.ya?ml$/i.test(entry.name))
      .map((entry) => entry.name);
    if (files.length === 0)
      report(reading, ["roles"], "no role file", "at least one .yaml file in it", "none");
    return files.toSorted();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "an error";
    const found = code === "ENOENT" ? "no such directory" : code === "ENOTDIR" ? "a file" : code;
    sink.addIssue({
      code: "custom",
      message: "a readable directory of role files",
      params: { found, problem: "unreadable directory" },
    });
    return [];
  }
}
