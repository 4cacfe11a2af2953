import type { Import } from './read-sources.ts';

/** Import cycles, of values or types, between files. */
export function findCycles(imports: readonly Import[]): string[] {
  const edges = Map.groupBy(
    imports.filter((found) => found.target !== null),
    (found) => found.from,
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: string[]): void => {
    const at = trail.indexOf(path);
    if (at !== -1) {
      cycles.push(`cycle: ${[...trail.slice(at), path].join(' -> ')}`);
      return;
    }
    if (done.has(path)) {
      return;
    }
    for (const edge of edges.get(path) ?? []) {
      visit(edge.target ?? '', [...trail, path]);
    }
    done.add(path);
  };
  for (const path of edges.keys()) {
    visit(path, []);
  }
  return cycles;
}
