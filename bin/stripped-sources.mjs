// Node's own TypeScript support takes 24 MB for as long as the process lives. So a short-lived child strips the types
// once, and the server loads what it left in node_modules/.cache. Stripping only blanks types out: lines, columns and
// names in stack traces are those of the sources. Where nothing can be kept, Node does it as usual.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'node_modules', '.cache', 'farebox');
const sourceFolders = ['src', 'sandbox'].map((name) => join(root, name));
const sourceUrls = sourceFolders.map((path) => `${pathToFileURL(path)}/`);

/** Named by the hash of its source, so that the copy of an older source is never loaded. */
function keptPath(text) {
  return join(folder, `${createHash('sha256').update(process.version).update(text).digest('hex')}.mjs`);
}

/** `null` also when another version of Farebox on the same node_modules has just removed it. */
function readKept(text) {
  try {
    return readFileSync(keptPath(text));
  } catch {
    return null;
  }
}

function readSources() {
  return sourceFolders
    .flatMap((parent) => readdirSync(parent, { recursive: true }).map((path) => join(parent, path)))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => readFileSync(path, 'utf8'));
}

/** Makes imports load the stripped copy of a source where there is one. */
export function useStrippedSources() {
  if (readSources().some((text) => !existsSync(keptPath(text)))) {
    spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url)]);
  }
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.endsWith('.ts') || !sourceUrls.some((parent) => url.startsWith(parent))) {
        return nextLoad(url, context);
      }
      const source = readKept(readFileSync(fileURLToPath(url), 'utf8'));
      return source ? { format: 'module', source, shortCircuit: true } : nextLoad(url, context);
    },
  });
}

/** Writes a copy of each source that has none and deletes the copies of older sources. */
function stripSources() {
  mkdirSync(folder, { recursive: true });
  const wanted = new Map(readSources().map((text) => [keptPath(text), text]));
  for (const [path, text] of wanted) {
    if (!existsSync(path)) {
      const unfinished = `${path}.${process.pid}`;
      writeFileSync(unfinished, stripTypeScriptTypes(text));
      renameSync(unfinished, path);
    }
  }
  for (const name of readdirSync(folder).filter((found) => !wanted.has(join(folder, found)))) {
    rmSync(join(folder, name), { force: true });
  }
}

if (import.meta.main) {
  stripSources();
}
