/** A published resource as everybody may see it: what the public pages show. */
export interface PublicResource {
  creator: string;
  slug: string;
  name: string;
  description: string;
  category: string;
  tags: readonly string[];
  /** Its title, for people. */
  kind: string;
  /** Null where the kind has no model. */
  model: string | null;
  state: 'published' | 'paused' | 'archived';
  version: number;
  /** In the creator's order of preference; empty when free. */
  offers: readonly PublicOffer[];
  settlementPoint: 'on_success' | 'at_first_output' | 'upfront';
  timeoutSeconds: number;
  runsLong: boolean;
  /** Many inputs in one call; null: one. */
  batch: { maxInputs: number } | null;
  /** How long files of answers can be fetched; null where it is known that there are none. */
  mediaRetentionSeconds: number | null;
  parameters: readonly PublicParameter[];
  /** A request body that the resource accepts. */
  inputExample: Readonly<Record<string, unknown>>;
  stats?: { call_count: number; success_count_30d: number; failure_count_30d: number };
}

/** The same as its clients need it. */
export interface ResourceContract extends Pick<
  PublicResource,
  'creator' | 'slug' | 'name' | 'description' | 'version' | 'inputExample' | 'batch'
> {
  /** As kinds are named on the wire. */
  kind: string;
  offers: readonly Pick<PublicOffer, 'scheme' | 'priceUsdc' | 'fromUsdc' | 'network' | 'payTo'>[];
  inputSchema: Readonly<Record<string, unknown>>;
  /** Of the `output` of each answer; null where none is promised. */
  outputSchema: Readonly<Record<string, unknown>> | null;
}

interface PublicOffer {
  scheme: string;
  priceUsdc: string;
  /** Where the price follows from the input: the least that a call costs, `priceUsdc` being the most. */
  fromUsdc?: string | undefined;
  /** CAIP-2. */
  network: string;
  networkName: string;
  payTo: string;
}

interface PublicParameter {
  name: string;
  type: string;
  description?: string | undefined;
  /** Unless told, what has no default is needed. */
  required?: boolean | undefined;
  /** Shown as JSON. */
  default?: unknown;
  options?: readonly string[] | undefined;
}
