/** What one check found. `mend` says what to do about it. */
export interface Finding {
  state: 'good' | 'bad';
  detail: string;
  mend?: string;
}

export interface Check {
  name: string;
  run(): Promise<Finding>;
}

interface DoctorOptions {
  checks: readonly Check[];
  print(line: string): void;
}

const marks = { good: 'ok  ', bad: 'BAD ' } as const;

/** Runs every check, also after one has failed, and says how to mend what is wrong. @returns whether all is well. */
export async function doctor(options: DoctorOptions): Promise<boolean> {
  const width = Math.max(...options.checks.map(({ name }) => name.length));
  let isWell = true;
  for (const check of options.checks) {
    const found = await check.run().catch((error: unknown): Finding => ({
      state: 'bad',
      detail: error instanceof Error ? error.message : String(error),
    }));
    isWell &&= found.state !== 'bad';
    options.print(`${marks[found.state]} ${check.name.padEnd(width)}  ${found.detail}`);
    if (found.mend !== undefined && found.state !== 'good') {
      options.print(`     ${' '.repeat(width)}  -> ${found.mend}`);
    }
  }
  options.print(isWell ? 'All is well.' : 'Something needs mending.');
  return isWell;
}
