import { parseArgs } from "node:util";
import { targetNames, type TargetName } from "./target.ts";

/** How pgbench sends its statement (its --protocol). */
const modes = ["simple", "extended", "prepared"] as const;
export type Mode = (typeof modes)[number];

export type BenchOptions = {
  /** Measured seconds of a run; its warm-up comes on top. */
  readonly seconds: number;
  readonly rounds: number;
  readonly clients: readonly number[];
  readonly modes: readonly Mode[];
  readonly targets: readonly TargetName[];
  /** Where the results go as JSON beside the table. */
  readonly json: string | undefined;
  /** Where rolegate's CPU profile goes. */
  readonly cpuProfile: string | undefined;
  readonly what: What;
};

/** What is measured. */
const whats = ["servers", "micro", "stall", "rewritten", "stream", "idle", "names"] as const;
type What = (typeof whats)[number];

export const usage = `npm run bench -- [options]

  --seconds N          measured seconds of a run (3), behind one second of warm-up
  --rounds N           runs of each target, taken in turns; medians are printed (3)
  --clients LIST       numbers of clients (1,8,32)
  --modes LIST         ${modes.join(",")}
  --targets LIST       ${targetNames.join(",")}
  --quick              one second, one round, 1 and 8 clients: does it work?
  --json FILE          writes every run and the medians
  --cpu-profile DIR    rolegate writes a V8 CPU profile there; where its time went is printed
  --what WHAT          ${whats.join(" | ")}:
                       pgbench -S through each target (the default); what the parts cost a statement; how long a
                       session waits while others send texts that are costly to judge; what rewritten queries take
                       in the database, against the same ones with their rule written by hand; how fast a gigabyte comes
                       through each target; what idle clients (--clients, 1000 at least) keep in memory; whether the
                       time of a refusal tells if a name exists
  --micro              --what micro
`;

/** @throws Error with a line for the person at the terminal. */
export function readArguments(args: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string" },
      rounds: { type: "string" },
      clients: { type: "string" },
      modes: { type: "string" },
      targets: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      "cpu-profile": { type: "string" },
      micro: { type: "boolean", default: false },
      what: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const quick = values.quick;
  return {
    seconds: positive("--seconds", values.seconds ?? (quick ? "1" : "3")),
    rounds: positive("--rounds", values.rounds ?? (quick ? "1" : "3")),
    clients: (values.clients ?? (quick ? "1,8" : "1,8,32"))
      .split(",")
      .map((text) => positive("--clients", text)),
    modes: oneOf("--modes", values.modes, modes),
    targets: oneOf("--targets", values.targets, targetNames),
    json: values.json,
    cpuProfile: values["cpu-profile"],
    what: oneOf("--what", values.what ?? (values.micro ? "micro" : "servers"), whats)[0]!,
  };
}

function positive(option: string, text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new Error(`${option}: ${text} is not a whole number above zero`);
  return Number(text);
}

function oneOf<Name extends string>(
  option: string,
  list: string | undefined,
  names: readonly Name[],
): Name[] {
  if (list === undefined) return [...names];
  return list.split(",").map((text) => {
    const name = names.find((known) => known === text);
    if (name === undefined) throw new Error(`${option}: ${text} is none of ${names.join(", ")}`);
    return name;
  });
}
