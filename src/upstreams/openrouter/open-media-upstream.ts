import type { MediaHttp } from './ask-media.ts';
import { awaitVideo } from './await-video.ts';
import { createEmbedding } from './create-embedding.ts';
import { createImages } from './create-images.ts';
import { createSpeech } from './create-speech.ts';
import { createTranscription } from './create-transcription.ts';
import { findCost } from './find-cost.ts';
import { listImageEndpoints, listVideoModels } from './list-media-prices.ts';
import type { MediaUpstream } from './media.ts';
import { rerankDocuments } from './rerank-documents.ts';
import { beginVideo, openVideo } from './run-video.ts';

/** The routes of OpenRouter beside chat, each in a file of its own. */
export function openMediaUpstream(http: MediaHttp): MediaUpstream {
  return {
    createImages: (request, call) => createImages(http, request, call),
    createSpeech: (request, call) => createSpeech(http, request, call),
    createTranscription: (request, call) => createTranscription(http, request, call),
    createEmbedding: (request, call) => createEmbedding(http, request, call),
    rerankDocuments: (request, call) => rerankDocuments(http, request, call),
    beginVideo: (request, call) => beginVideo(http, request, call),
    awaitVideo: (jobId, call) => awaitVideo(http, jobId, call),
    openVideo: (jobId, call) => openVideo(http, jobId, call),
    findCost: (generationId, call) => findCost(http, generationId, call),
    listImageEndpoints: (modelId) => listImageEndpoints(http, modelId),
    listVideoModels: () => listVideoModels(http),
  };
}
