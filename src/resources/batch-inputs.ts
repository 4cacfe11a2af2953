type Input = Readonly<Record<string, unknown>>;

/** The inputs of a call that carries many, as `parseInput` has read them. */
export function listInputs({ inputs }: Input): Record<string, unknown>[] {
  return Array.isArray(inputs) ? (inputs as Record<string, unknown>[]) : [];
}
