/** Settings that no role file can open: who the session is, how text is read, what the rules stand on. */
const names: ReadonlySet<string> = new Set([
  "role",
  "session_authorization",
  "session_replication_role",
  "row_security",
  "is_superuser",
  "local_preload_libraries",
  "session_preload_libraries",
  "dynamic_library_path",
]);

/** True for a setting that no role file can open, in lower case. `rolegate.*` say who the session is. */
export function neverSettable(setting: string): boolean {
  return names.has(setting) || setting.startsWith("rolegate.");
}
