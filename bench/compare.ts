/** One measured round: how many per second, and how much processor time of the measured process each took where that is known. */
export interface Round {
  perSecond: number;
  cpuMicros?: number;
  /** Of one request, in the middle. */
  medianMs?: number;
}

export interface Side {
  name: string;
  warmUp(): Promise<unknown>;
  round(): Promise<Round>;
}

interface Comparison {
  title: string;
  unit: string;
  rounds: number;
  /** The ratio that we want to reach; none where the comparison only explains another one. */
  aim?: number;
  ours: Side;
  theirs: Side;
}

/** Measures both sides in turns, so that other load on the machine affects both, and prints medians and ranges. */
export async function compare({ title, unit, rounds, aim, ours, theirs }: Comparison): Promise<void> {
  console.log(`\n${title}`);
  await ours.warmUp();
  await theirs.warmUp();
  const pairs: { ours: Round; theirs: Round }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    pairs.push({ ours: await ours.round(), theirs: await theirs.round() });
  }
  for (const side of ['ours', 'theirs'] as const) {
    const name = side === 'ours' ? ours.name : theirs.name;
    console.log(
      `  ${name.padEnd(52)} ${describe(
        pairs.map((pair) => pair[side]),
        unit,
      )}`,
    );
  }
  const ratios = pairs.map((pair) => pair.ours.perSecond / pair.theirs.perSecond);
  const verdict = aim === undefined ? '' : `   aim ${aim}: ${median(ratios) >= aim ? 'reached' : 'MISSED'}`;
  console.log(`  ratio ${spread(ratios, 2)}${verdict}`);
  const cpu = pairs.flatMap((pair) =>
    pair.ours.cpuMicros && pair.theirs.cpuMicros ? [pair.theirs.cpuMicros / pair.ours.cpuMicros] : [],
  );
  if (cpu.length > 0) {
    console.log(`  ratio by processor time of the server alone ${spread(cpu, 2)}`);
  }
}

export function describe(rounds: readonly Round[], unit: string): string {
  const parts = [
    `${spread(
      rounds.map((round) => round.perSecond),
      0,
    )} ${unit}/s`,
  ];
  const cpu = rounds.flatMap((round) => round.cpuMicros ?? []);
  const ms = rounds.flatMap((round) => round.medianMs ?? []);
  if (ms.length > 0) {
    parts.push(`${median(ms).toFixed(median(ms) < 10 ? 2 : 0)} ms each`);
  }
  if (cpu.length > 0) {
    parts.push(`${median(cpu).toFixed(cpu[0] && cpu[0] > 1000 ? 0 : 1)} µs of processor time each`);
  }
  return parts.join(', ');
}

export function spread(values: readonly number[], digits: number): string {
  return `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
