import type { CatalogueModel } from '../catalogue.ts';
import { toUsd } from '../cost.ts';
import type { Exchange } from '../exchange.ts';
import { listEndpoints } from '../list-endpoints.ts';
import { refuse } from '../refusal.ts';
import { replyJson, replyRefusal } from '../reply.ts';
import type { Reply } from '../reply.ts';
import type { State } from '../state.ts';
import { picturePrice } from './images.ts';
import { videoSkus } from './media-models.ts';

const imageParameters = {
  n: { type: 'range', min: 1, max: 10 },
  aspect_ratio: { type: 'enum', values: ['1:1', '2:3', '3:2', '3:4', '4:3', '9:16', '16:9'] },
  resolution: { type: 'enum', values: ['512', '1K', '2K'] },
};

const makes = (model: CatalogueModel, output: string): boolean =>
  model.architecture.output_modalities.includes(output) && model.pricing['prompt'] !== '-1';

/** `GET /images/models` */
export function answerImageModels(state: State): Reply {
  const data = state.catalogue.list.filter((model) => makes(model, 'image')).map(toImageModel);
  return replyJson({ data });
}

function toImageModel(model: CatalogueModel) {
  const { input_modalities: inputs, output_modalities: outputs } = model.architecture;
  return {
    id: model.id,
    name: model.name,
    description: model.description ?? '',
    created: model.created,
    architecture: { input_modalities: inputs, output_modalities: outputs },
    supported_parameters: imageParameters,
    supports_streaming: true,
    endpoints: `/api/v1/images/models/${model.id}/endpoints`,
  };
}

/** `GET /images/models/{author}/{slug}/endpoints`: the price of each provider, by the picture. */
export function answerImageEndpoints(state: State, { path }: Exchange): Reply {
  const id = decodeURIComponent(path.replace(/^.*?\/images\/models\//, '').replace(/\/endpoints$/, ''));
  const model = state.catalogue.find(id);
  if (model === null || !makes(model, 'image')) {
    return replyRefusal(refuse(404, `Model ${id.slice(0, 100)} not found`, { error_type: 'not_found' }));
  }
  const endpoints = listEndpoints(model).map((endpoint) => ({
    provider_name: endpoint.providerName,
    provider_slug: endpoint.tag,
    provider_tag: endpoint.tag,
    pricing: [
      {
        billable: 'output_image',
        unit: 'image',
        cost_usd: toUsd(picturePrice({ ...model, pricing: endpoint.pricing })),
      },
    ],
    supported_parameters: imageParameters,
    supports_streaming: true,
    allowed_passthrough_parameters: [],
  }));
  return replyJson({ id: model.id, endpoints });
}

/** `GET /videos/models` */
export function answerVideoModels(state: State): Reply {
  const data = state.catalogue.list
    .filter((model) => makes(model, 'video'))
    .map((model) => ({
      id: model.id,
      canonical_slug: model.canonical_slug,
      name: model.name,
      description: model.description ?? '',
      created: model.created,
      hugging_face_id: null,
      pricing_skus: videoSkus[model.id] ?? null,
      supported_durations: [5, 8],
      supported_resolutions: ['720p', '1080p'],
      supported_aspect_ratios: ['16:9', '9:16'],
      supported_sizes: null,
      supported_frame_images: null,
      generate_audio: true,
      seed: true,
      creativity: null,
      upscale_factor: null,
      allowed_passthrough_parameters: [],
    }));
  return replyJson({ data });
}

/** `GET /embeddings/models` */
export function answerEmbeddingModels(state: State): Reply {
  const data = state.catalogue.list.filter((model) => makes(model, 'embeddings'));
  return replyJson({ data, total_count: data.length, links: { next: null } });
}
