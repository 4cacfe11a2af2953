/** What a member of an answer is, by its path: `choices[].message.content` -> `string`. */
type Shape = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * What differs between the forms of two answers, one sentence each; their values may differ. A member that one of them
 * has as null may be anything in the other.
 */
export function compareShapes(real: readonly unknown[], simulated: readonly unknown[]): string[] {
  const [theirs, ours] = [shapeOf(real), shapeOf(simulated)];
  const missing = [...theirs.keys()].filter((path) => !ours.has(path) && !isBelowMissing(path, ours));
  const added = [...ours.keys()].filter((path) => !theirs.has(path) && !isBelowMissing(path, theirs));
  const changed = [...theirs].flatMap(([path, kinds]) => describeChange(path, kinds, ours.get(path)));
  return [
    ...missing.map((path) => `OpenRouter sends ${path}, the simulator does not`),
    ...added.map((path) => `the simulator sends ${path}, OpenRouter did not`),
    ...changed,
  ];
}

function describeChange(path: string, theirs: ReadonlySet<string>, ours: ReadonlySet<string> | undefined): string[] {
  const isSame = ours === undefined || [...theirs].some((kind) => ours.has(kind));
  const isOpen = theirs.has('null') || ours?.has('null') === true;
  return isSame || isOpen
    ? []
    : [`${path} is ${[...theirs].join(' or ')} at OpenRouter, ${[...ours].join(' or ')} here`];
}

/** Only the uppermost member that is missing is told, and nothing below a null. */
function isBelowMissing(path: string, other: Shape): boolean {
  const parent = path.replace(/(\[\]|\.[^.[]+|^[^.[]+)$/, '');
  return parent !== '' && (!other.has(parent) || other.get(parent)?.has('null') === true);
}

function shapeOf(values: readonly unknown[]): Shape {
  const shape = new Map<string, Set<string>>();
  const visit = (value: unknown, path: string): void => {
    const kinds = shape.get(path) ?? new Set<string>();
    shape.set(path, kinds.add(kindOf(value)));
    if (Array.isArray(value)) {
      value.forEach((item) => visit(item, `${path}[]`));
    } else if (typeof value === 'object' && value !== null) {
      Object.entries(value).forEach(([name, member]) => visit(member, path === '' ? name : `${path}.${name}`));
    }
  };
  values.forEach((value) => visit(value, ''));
  return shape;
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value;
}
