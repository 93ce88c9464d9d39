/** Settings that no role file can open: who the session is, how text is read, what the rules stand on. */
const names: ReadonlySet<string> = new Set([
  "role",
  "session_authorization",
  "session_replication_role",
  "row_security",
  // How a rule's own text is read: NULL in an array, and what `= NULL` means.
  "array_nulls",
  "transform_null_equals",
  "is_superuser",
  "local_preload_libraries",
  "session_preload_libraries",
  "dynamic_library_path",
]);

/**
 * Does a role file open a setting?
 * @param opened what settings.allow lists: names, and `application.*` for all that begin so.
 */
export function opensSetting(opened: ReadonlySet<string>, setting: string): boolean {
  if (neverSettable(setting)) return false;
  if (opened.has(setting)) return true;
  for (let dot = setting.indexOf("."); dot > 0; dot = setting.indexOf(".", dot + 1))
    if (opened.has(`${setting.slice(0, dot)}.*`)) return true;
  return false;
}

/** True for a setting that no role file can open, in lower case. `rolegate.*` say who the session is. */
export function neverSettable(setting: string): boolean {
  return names.has(setting) || setting.startsWith("rolegate.");
}
