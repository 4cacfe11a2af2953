/** What a simulated provider is like: the same for every model that it serves. */
export interface Provider {
  /** What `provider.order`, `only` and `ignore` name it. */
  tag: string;
  name: string;
  /** Its price, as a multiple of the list price. */
  factor: string;
  /** Serves models that write text and cost something; the first one serves all. */
  isSecond: boolean;
  /** Keeps nothing. */
  isZdr: boolean;
  trainsOnData: boolean;
  quantization: string | null;
  /** Stops, and stops billing, when the client leaves. */
  isCancellable: boolean;
  /** Parameters that it does not know. */
  lacks: readonly string[];
  /** Tokens per second. */
  throughput: number;
  /** Seconds to the first token. */
  latency: number;
}

/** Cheapest first: without a preference that is who answers. */
export const providers: readonly Provider[] = [
  {
    tag: 'simulated',
    name: 'Simulated',
    factor: '1',
    isSecond: false,
    isZdr: false,
    trainsOnData: true,
    quantization: null,
    isCancellable: true,
    lacks: [],
    throughput: 80,
    latency: 0.4,
  },
  {
    tag: 'simulated-private',
    name: 'Simulated Private',
    factor: '1.1',
    isSecond: true,
    isZdr: true,
    trainsOnData: false,
    quantization: 'fp8',
    isCancellable: false,
    lacks: ['seed', 'logprobs', 'top_logprobs', 'logit_bias', 'structured_outputs'],
    throughput: 40,
    latency: 0.2,
  },
  {
    tag: 'simulated-plus',
    name: 'Simulated Plus',
    factor: '1.25',
    isSecond: true,
    isZdr: false,
    trainsOnData: false,
    quantization: 'bf16',
    isCancellable: true,
    lacks: [],
    throughput: 160,
    latency: 0.6,
  },
];
