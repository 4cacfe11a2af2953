import { z } from 'zod';
import { operation, type Caller } from '#kit/index.ts';
import { wrappedInput } from '#resources/index.ts';
import type { Gateway } from './open-gateway.ts';
import { quoted } from './quote-call.ts';

/** What a call would cost and whether it would be answered, before anything is paid. Nothing runs and nothing is charged. */
export const quoteResource = operation({
  name: 'resources.quote',
  route: 'POST /api/resources/:id/quote',
  summary:
    'Ask before paying: the price, whether the input fits, tokens and the usual time; for the owner what the call would cost too. Nothing runs and nothing is charged.',
  scope: 'public',
  input: z
    .strictObject(
      {
        id: z.uuid(),
        input: z
          .record(z.string(), z.unknown())
          .optional()
          .describe('As the body of a call, `user_message` included; none unless told'),
        inputs: z
          .array(z.unknown())
          .max(1_000)
          .optional()
          .describe('In place of `input`, as the body of a batch: what all of them cost together'),
      },
      wrappedInput,
    )
    .refine(({ input, inputs }) => input === undefined || inputs === undefined, {
      path: ['inputs'],
      message: 'Send "input" or "inputs", not both: their prices differ',
    }),
  output: quoted,
  problems: ['not_found', 'gone'],
  // Before the transaction: a kind may take its time.
  prepare: (deps: { gateway: Pick<Gateway, 'quote'> }, caller, { id, input = {}, inputs }) =>
    deps.gateway.quote({ resourceId: id, input, inputs, callerUserId: caller.kind === 'user' ? caller.userId : null }),
  run: async ({ prepared }: { gateway: Pick<Gateway, 'quote'>; prepared: z.input<typeof quoted> }, _caller: Caller) =>
    prepared,
});
