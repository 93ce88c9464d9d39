import { readFileSync } from "node:fs";
import { platform } from "node:process";

// USER_HZ, the unit of /proc/<pid>/stat: 100 on every Linux that Node runs on (getconf CLK_TCK).
const microsPerTick = 10_000;

/** Microseconds of CPU (user and system, all threads) that a process has used; undefined where we cannot tell. */
export function cpuMicros(pid: number | undefined): number | undefined {
  if (pid === undefined || platform !== "linux") return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is the command's name in parentheses, which may hold anything (proc(5)): count from behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * microsPerTick;
}

/** Resident memory of a process in megabytes; undefined where we cannot tell. */
export function residentMegabytes(pid: number | undefined): number | undefined {
  if (pid === undefined || platform !== "linux") return undefined;
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}
