/** One thing wrong with a configuration file. No field ever holds a secret's value. */
export type ConfigProblem = {
  /** The file, so that it can be opened from the directory in which the command ran. */
  readonly file: string;
  /** 1-based; 1 where the file as a whole is meant. */
  readonly line: number;
  /** The setting, with dots: `databases.shop.upstream`; empty for the file as a whole. */
  readonly setting: string;
  readonly found: string;
  readonly expected: string;
  /** What is wrong, in one phrase. */
  readonly message: string;
};

/** One line for people: `rolegate.yaml:12: listen.adress: unknown key: found …, expected …`. */
export function formatProblem(problem: ConfigProblem): string {
  const place = `${problem.file}:${problem.line}: `;
  const setting = problem.setting === "" ? "" : `${problem.setting}: `;
  return `${place}${setting}${problem.message}: found ${problem.found}, expected ${problem.expected}`;
}

/** In the order in which a person walks through the files: by file, then by line. */
export function sortProblems(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const files = [...new Set(problems.map((problem) => problem.file))];
  return problems.toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line);
}
