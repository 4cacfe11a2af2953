import { z } from 'zod';
import { parseWith, takeUnit } from '#kit/index.ts';
import { answerJson } from './answer-json.ts';
import type { Route } from './mount-routes.ts';
import { sandboxPage } from './pages/sandbox-page.ts';
import { readInput } from './read-input.ts';
import type { AppOptions } from './server-options.ts';

const faucetInput = z.strictObject({
  address: z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'Expected an address: 0x and 40 hexadecimal digits'),
});

/** What is simulated here, and test USDC for whoever asks. */
export function sandboxRoutes(options: AppOptions, sandbox: NonNullable<AppOptions['sandbox']>): Route[] {
  return [
    {
      method: 'GET',
      pattern: '/sandbox',
      handle: async (c) => {
        await takeUnit(options.limits?.pages, c.get('clientAddress'));
        const facts = await sandbox.describe();
        c.header('Vary', 'Accept', { append: true });
        return c.req.header('accept')?.includes('text/html')
          ? c.html(sandboxPage({ facts, origin: new URL(options.publicUrl).origin }))
          : answerJson(c, { body: facts });
      },
    },
    {
      method: 'POST',
      pattern: '/sandbox/faucet',
      handle: async (c) => {
        await takeUnit(options.limits?.faucet, c.get('clientAddress'));
        const { address } = parseWith(faucetInput, await readInput(c));
        return answerJson(c, { body: await sandbox.faucet(address) });
      },
    },
  ];
}
