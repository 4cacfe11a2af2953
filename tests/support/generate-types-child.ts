import { readFile, writeFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';

// openapi-typescript builds its text with the API of TypeScript 5, which TypeScript 7 does not have.
registerHooks({
  resolve: (specifier, context, next) => next(specifier === 'typescript' ? 'typescript-api' : specifier, context),
});
const { default: generate, astToString } = await import('openapi-typescript');

const [from = '', to = ''] = process.argv.slice(2);
const document = JSON.parse(await readFile(from, 'utf8')) as Parameters<typeof generate>[0];
await writeFile(to, astToString(await generate(document)));
