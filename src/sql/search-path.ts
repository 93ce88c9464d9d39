import { truncateName } from "./names.ts";

/**
 * The schemas of a search_path setting as names, `"$user"` replaced by the role (documentation, 20.11.1). Reads the
 * list as SplitIdentifierString of the server's varlena.c does: words fold to lower case unless they are quoted.
 * @returns undefined for a list that cannot be read
 */
export function parseSearchPath(setting: string, role: string): readonly string[] | undefined {
  const path: string[] = [];
  const element = /\s*(?:"((?:[^"]|"")*)"|([^\s",][^\s,]*))\s*(,|$)/y;
  if (setting.trim() === "") return path;
  for (;;) {
    const match = element.exec(setting);
    if (match === null) return undefined;
    const [, quoted, word = "", separator] = match;
    // Words are ASCII unless somebody wrote otherwise without quotes; the server folds those by its locale, so we refuse.
    if (quoted === undefined && !/^[\x21-\x7e]+$/.test(word)) return undefined;
    const name = quoted === undefined ? word.toLowerCase() : quoted.replaceAll('""', '"');
    path.push(name === "$user" ? role : truncateName(name));
    if (separator === "") return path;
  }
}
