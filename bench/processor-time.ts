import { readFile } from 'node:fs/promises';

/** Linux counts it in hundredths of a second. */
const MICROS_PER_TICK = 10_000;

/** Microseconds of processor time that a process has used so far; `null` where the system does not tell. */
export async function readProcessorTime(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The second field is a name in brackets, which may hold spaces.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields ? (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK : null;
}

/** Runs something and tells what share of the process's computing each of its parts took. */
export async function perPart(pid: number, run: () => Promise<number>): Promise<{ parts: number; cpuMicros?: number }> {
  const before = await readProcessorTime(pid);
  const parts = await run();
  const after = await readProcessorTime(pid);
  return before === null || after === null ? { parts } : { parts, cpuMicros: (after - before) / parts };
}
