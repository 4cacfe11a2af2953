import { problemKinds } from '#kit/index.ts';
import { toOpenapi } from '../../src/api/openapi.ts';
import { bindNothing } from './operation-requests.ts';

type PathItems = Record<string, Record<string, { responses: Record<string, unknown> }>>;

interface Line {
  msg?: string;
  method?: string;
  pattern?: string;
  status?: number;
  outcome?: string;
  operation?: string;
  undeclared?: string;
}

/** What an app logged about answers that its documents do not list; one line each. */
export function findUndocumented(logged: readonly string[]): string[] {
  const about = { origin: 'https://farebox.test', version: '0', isSandbox: true };
  const paths = toOpenapi({ operations: bindNothing(), kinds: [] }, about)['paths'] as PathItems;
  const found = logged.map((line) => toFinding(JSON.parse(line) as Line, paths));
  return [...new Set(found.filter((finding) => finding !== null))];
}

function toFinding(line: Line, paths: PathItems): string | null {
  if (line.undeclared !== undefined) {
    return `${line.operation} does not declare ${line.undeclared}`;
  }
  if (line.msg === 'call') {
    const { outcome = '' } = line;
    const documented = JSON.stringify(paths['/@{creator}/{slug}']?.['post']);
    const isProblem = outcome in problemKinds && outcome !== 'payment_required';
    return isProblem && !documented.includes(`"${outcome}"`) ? `the paid call does not list ${outcome}` : null;
  }
  if (line.msg !== 'request') {
    return null;
  }
  const { method = '', pattern = '', status = 0 } = line;
  const verb = (method === 'HEAD' ? 'GET' : method).toLowerCase();
  // Methods and paths that are served nowhere have no place in the document.
  const documented = findPaths(pattern, paths).flatMap((path) => {
    const responses = paths[path]?.[verb]?.responses;
    return responses ? [responses] : [];
  });
  const isListed = documented.some((responses) => status in responses);
  return documented.length > 0 && !isListed ? `${method} ${pattern} does not list ${status}` : null;
}

/** One path, or all below what ends with a star: which of them was asked is not logged. */
function findPaths(pattern: string, paths: PathItems): string[] {
  return pattern.endsWith('*')
    ? Object.keys(paths).filter((path) => path.startsWith(pattern.slice(0, -1)))
    : [pattern.replaceAll(/:(\w+)/g, '{$1}')];
}
