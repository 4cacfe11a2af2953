import type { CatalogueModel } from '../catalogue.ts';
import { toUsd } from '../cost.ts';
import type { Exchange } from '../exchange.ts';
import { refuse } from '../refusal.ts';
import { replyJson, replyRefusal } from '../reply.ts';
import type { Reply } from '../reply.ts';
import type { State } from '../state.ts';
import { listImageOffers } from './image-offers.ts';
import { filmTraits } from './media-models.ts';

const makes = (model: CatalogueModel, output: string): boolean =>
  model.architecture.output_modalities.includes(output) && model.pricing['prompt'] !== '-1';

/** `GET /images/models` */
export function answerImageModels(state: State): Reply {
  const data = state.catalogue.list.filter((model) => makes(model, 'image')).map(toImageModel);
  return replyJson({ data });
}

function toImageModel(model: CatalogueModel) {
  const { input_modalities: inputs, output_modalities: outputs } = model.architecture;
  const offers = listImageOffers(model);
  return {
    id: model.id,
    name: model.name,
    description: model.description ?? '',
    created: model.created,
    architecture: { input_modalities: inputs, output_modalities: outputs },
    supported_parameters: Object.assign({}, ...offers.map(({ parameters }) => parameters)) as object,
    supports_streaming: offers.some(({ streams }) => streams),
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
  const endpoints = listImageOffers(model).map(({ tag, providerName, parameters, streams, lines }) => ({
    provider_name: providerName,
    provider_slug: tag,
    provider_tag: tag,
    pricing: lines.map(({ billable, unit, usd }) => ({ billable, unit, cost_usd: toUsd(usd) })),
    supported_parameters: parameters,
    supports_streaming: streams,
    allowed_passthrough_parameters: [],
  }));
  return replyJson({ id: model.id, endpoints });
}

/** `GET /videos/models` */
export function answerVideoModels(state: State): Reply {
  const data = state.catalogue.list
    .filter((model) => makes(model, 'video'))
    .map((model) => {
      const { skus = null, frames = null, seed = null, sound = null } = filmTraits[model.id] ?? {};
      return {
        id: model.id,
        canonical_slug: model.canonical_slug,
        name: model.name,
        description: model.description ?? '',
        created: model.created,
        hugging_face_id: null,
        pricing_skus: skus,
        supported_durations: [5, 8],
        supported_resolutions: ['480p', '720p', '1080p'],
        supported_aspect_ratios: ['16:9', '9:16'],
        supported_sizes: null,
        supported_frame_images: frames,
        generate_audio: sound,
        seed,
        creativity: null,
        upscale_factor: null,
        allowed_passthrough_parameters: [],
      };
    });
  return replyJson({ data });
}

/** `GET /embeddings/models` */
export function answerEmbeddingModels(state: State): Reply {
  const data = state.catalogue.list.filter((model) => makes(model, 'embeddings'));
  return replyJson({ data, total_count: data.length, links: { next: null } });
}
