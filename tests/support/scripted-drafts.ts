/** A prompt on a scripted upstream, sold while it is written. */
export function toPoem(upstreamUrl: string) {
  return {
    kind: 'prompt_template',
    settlementPoint: 'at_first_output',
    config: {
      model: 'acme/poet',
      systemPrompt: 'Write about {topic}{/topic}.',
      upstream: { type: 'chat_completions', baseUrl: `${upstreamUrl}/v1`, apiKeySecret: null },
    },
  } as const;
}
