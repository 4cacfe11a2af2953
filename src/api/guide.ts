import { RECEIPT_HEADER } from './write-answer.ts';

/** What programs and people need to know beside the list of routes, as Markdown: the description of the OpenAPI document. */
export const guide = `
Everything is HTTP and JSON. Errors are \`application/problem+json\` (RFC 9457) with a \`code\`, what to do \`next\`, a
\`requestId\` and, where a payment took part, whether it was \`charged\`.

## Publish
1. Sign up, sign in, and make an API key (\`POST /api/user/api-keys\`). Send it as \`Authorization: Bearer fbx_…\`.
2. Store the key of your upstream: \`PUT /api/user/integrations/openrouter\`.
3. Make a draft: \`POST /api/resources\`. Its \`kind\` says which \`config\` it takes; the examples of that operation can be
   published as they stand, with your own address as \`payTo\`. What can never be right is refused; what is still missing
   comes back as \`problems\`, and what may not be meant as \`warnings\`, with every save and from
   \`POST /api/resources/{id}/validate\`.
4. Publish it: \`POST /api/resources/{id}/publish\`. Buyers call an unchanging version; edits are a draft until published.
5. Try it without a payment: call it with your API key and \`X-Owner-Test: true\`.

## Parameters and tags
\`{name}{/name}\` in a template stands for the value of the parameter \`name\`, put in literally and once. Every parameter
stands in a template, and every tag names a parameter. A backslash before a tag keeps it as text: \`\\{name}{/name}\`.
Values come from the JSON body of a call by their names, or from its query.

## When money moves
A buyer signs, the resource runs, the payment is settled, the answer goes out. \`settlementPoint\` of a draft chooses when:
\`on_success\` (a failure costs nothing), \`at_first_output\` or \`upfront\` (an answer that is paid and does not come is
owed: the same payment runs it again without a new charge). Sending the same payment again never buys twice.

## Streams
With \`Accept: text/event-stream\` an answer comes as server-sent events: \`meta\`, \`delta\`, \`media\`, \`usage\`,
\`receipt\`, and at its end \`done\` or \`error\`. They come while the answer is made where \`settlementPoint\` is
\`at_first_output\`, or the resource is free or tested by its owner; otherwise once it is whole. \`PAYMENT-RESPONSE\` stands in
the headers before the first event. A stream without an end has broken off: the same payment with \`Last-Event-ID\` goes on
behind that event. Another \`meta\` voids what came before it. Once the first output has come the price is charged once
and the whole answer is owed; before it nothing is.

## Answers that take long
\`Prefer: respond-async\`, or a resource with \`runsLong\`: the call is answered with 202, carried out behind it by whichever
process is there, and followed at the URL in \`Location\` with the status token of the 202. See \`GET /api/calls/{id}\`.

## Many inputs at once
Where \`batch\` of a draft allows it, \`POST /@creator/slug/batch\` with \`{"inputs": [{…}, …]}\` is one call: one payment of what
all inputs cost together, before they run; a 202; and a result with one item for each input. What failed in the end is named
there and owed: the same payment runs it again without a charge.

## Clients of OpenAI
Every published resource is a model id, \`creator/slug\`, at \`/v1/chat/completions\`, \`/v1/responses\` and \`/v1/models\`.
The last message, which is the user's, is the resource's \`user_message\` or its only text; earlier messages of user and
assistant are left out and told in \`X-Farebox-Ignored\`. Further parameters go by their names into \`metadata\` or
\`parameters\`. A paying fetch pays; the API key of its owner runs it without a payment; any other key is
nobody's. Let the client send nothing twice by itself (\`maxRetries: 0\`): each request that it repeats is paid anew.

## Headers of a call
\`PAYMENT-SIGNATURE\` (x402 version 2) or \`X-PAYMENT\` (version 1) pay; \`X-Owner-Test: true\` is the creator's own test;
\`Idempotency-Key\` names the call. Answers carry \`PAYMENT-RESPONSE\`, \`X-Request-Id\` and, where the body has no room for
a receipt, \`${RECEIPT_HEADER}\`.
`.trim();

/** What the groups of operations are about. */
export const tagTexts: Readonly<Record<string, string>> = {
  account: 'Your account and its API keys.',
  auth: 'Sign-up, sign-in and sessions. Programs do better with an API key.',
  call: 'What buyers use: the paid call, uploads for it, and the files of answers.',
  creators: 'Published resources by their creators.',
  integrations: 'Keys of providers that your resources run on.',
  kinds: 'What can be published.',
  models: 'The catalogue of AI models.',
  notices: 'What you are told of your keys, models, prices and calls, and where it is sent.',
  openai: 'The paid call for clients of OpenAI.',
  operations: 'For whoever runs the server, and this document.',
  resources: 'Drafts, versions and states of resources.',
  sandbox: 'What is simulated here.',
  usage: 'The calls of your resources, with cost and margin.',
};
