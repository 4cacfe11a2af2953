import { answerWithFault } from './answer-inference.ts';
import { answerChat } from './chat.ts';
import { answerCodeExchange, answerCodeRequest, answerConsent } from './consent.ts';
import { answerCredits, answerKey } from './describe-key.ts';
import type { Exchange } from './exchange.ts';
import type { FaultRoute } from './fault-plan.ts';
import { answerGeneration, answerGenerationContent } from './find-generation.ts';
import { answerEndpoints, answerModel, answerModelCount, answerModels, answerUserModels } from './list-models.ts';
import { answerActivity, answerEmptyList, answerFiles, emptyLists } from './list-nothing.ts';
import { answerProviders, answerZdrEndpoints } from './list-providers.ts';
import { answerKeyList, answerNewKey, answerOneKey } from './manage-keys.ts';
import { answerEmbeddings } from './media/embeddings.ts';
import { answerImages } from './media/images.ts';
import {
  answerEmbeddingModels,
  answerImageEndpoints,
  answerImageModels,
  answerVideoModels,
} from './media/list-media-models.ts';
import { answerRerank } from './media/rerank.ts';
import { answerSpeech } from './media/speech.ts';
import { answerTranscription } from './media/transcription.ts';
import { answerBeginVideo, answerVideo, answerVideoContent } from './media/videos.ts';
import { answerMessages } from './messages.ts';
import { refuse } from './refusal.ts';
import { replyRefusal } from './reply.ts';
import type { Reply } from './reply.ts';
import { answerResponses } from './responses.ts';
import type { State } from './state.ts';

interface Route {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: RegExp;
  fault: FaultRoute;
  answer(state: State, exchange: Exchange): Reply | Promise<Reply>;
}

const KEY_BY_HASH = /^\/keys\/[0-9a-f]+$/;

/** What the simulator serves, below `/api/v1`. The first match wins. */
const routes: readonly Route[] = [
  { method: 'POST', path: /^\/chat\/completions$/, fault: 'chat', answer: answerChat },
  { method: 'POST', path: /^\/responses$/, fault: 'chat', answer: answerResponses },
  { method: 'POST', path: /^\/messages$/, fault: 'chat', answer: answerMessages },
  { method: 'GET', path: /^\/models$/, fault: 'models', answer: answerModels },
  { method: 'GET', path: /^\/models\/user$/, fault: 'models', answer: answerUserModels },
  { method: 'GET', path: /^\/models\/count$/, fault: 'models', answer: answerModelCount },
  { method: 'GET', path: /^\/models\/[^/]+\/[^/]+\/endpoints$/, fault: 'models', answer: answerEndpoints },
  { method: 'GET', path: /^\/model\/[^/]+\/[^/]+$/, fault: 'models', answer: answerModel },
  { method: 'GET', path: /^\/endpoints\/zdr$/, fault: 'models', answer: answerZdrEndpoints },
  { method: 'GET', path: /^\/providers$/, fault: 'models', answer: answerProviders },
  { method: 'GET', path: /^\/keys$/, fault: 'keys', answer: answerKeyList },
  { method: 'POST', path: /^\/keys$/, fault: 'keys', answer: answerNewKey },
  { method: 'GET', path: KEY_BY_HASH, fault: 'keys', answer: answerOneKey },
  { method: 'PATCH', path: KEY_BY_HASH, fault: 'keys', answer: answerOneKey },
  { method: 'DELETE', path: KEY_BY_HASH, fault: 'keys', answer: answerOneKey },
  { method: 'POST', path: /^\/images$/, fault: 'media', answer: answerImages },
  { method: 'GET', path: /^\/images\/models$/, fault: 'models', answer: answerImageModels },
  { method: 'GET', path: /^\/images\/models\/[^/]+\/[^/]+\/endpoints$/, fault: 'models', answer: answerImageEndpoints },
  { method: 'POST', path: /^\/audio\/speech$/, fault: 'media', answer: answerSpeech },
  { method: 'POST', path: /^\/audio\/transcriptions$/, fault: 'media', answer: answerTranscription },
  { method: 'POST', path: /^\/embeddings$/, fault: 'media', answer: answerEmbeddings },
  { method: 'GET', path: /^\/embeddings\/models$/, fault: 'models', answer: answerEmbeddingModels },
  { method: 'POST', path: /^\/rerank$/, fault: 'media', answer: answerRerank },
  { method: 'POST', path: /^\/videos$/, fault: 'media', answer: answerBeginVideo },
  { method: 'GET', path: /^\/videos\/models$/, fault: 'models', answer: answerVideoModels },
  { method: 'GET', path: /^\/videos\/[^/]+$/, fault: 'job', answer: answerVideo },
  { method: 'GET', path: /^\/videos\/[^/]+\/content$/, fault: 'job', answer: answerVideoContent },
  { method: 'GET', path: /^\/key$/, fault: 'key', answer: answerKey },
  { method: 'GET', path: /^\/credits$/, fault: 'credits', answer: answerCredits },
  { method: 'POST', path: /^\/auth\/keys$/, fault: 'key', answer: answerCodeExchange },
  { method: 'POST', path: /^\/auth\/keys\/code$/, fault: 'key', answer: answerCodeRequest },
  { method: 'GET', path: /^\/generation$/, fault: 'generation', answer: answerGeneration },
  { method: 'GET', path: /^\/generation\/content$/, fault: 'generation', answer: answerGenerationContent },
  { method: 'GET', path: /^\/activity$/, fault: 'keys', answer: answerActivity },
  { method: 'GET', path: /^\/files$/, fault: 'keys', answer: answerFiles },
  ...emptyLists.map((path): Route => ({ method: 'GET', path, fault: 'keys', answer: answerEmptyList })),
];

export const BASE_PATH = '/api/v1';

export function answer(state: State, exchange: Exchange): Reply | Promise<Reply> {
  if (exchange.path === '/auth' && exchange.method === 'GET') {
    return answerConsent(state, exchange);
  }
  const path = exchange.path.startsWith(BASE_PATH) ? exchange.path.slice(BASE_PATH.length) : null;
  const matching = routes.filter((route) => path !== null && route.path.test(path));
  const route = matching.find(({ method }) => method === exchange.method);
  if (route === undefined) {
    return matching.length > 0
      ? replyRefusal(refuse(405, 'Method Not Allowed'))
      : replyRefusal(refuse(404, 'Not Found', { error_type: 'not_found' }));
  }
  if (exchange.isTooLarge) {
    return replyRefusal(refuse(413, 'The request is too large', { error_type: 'payload_too_large' }));
  }
  return answerPlannedFault(state, exchange, route) ?? route.answer(state, exchange);
}

/** Faults of the routes that do no work; the others look for their own. */
function answerPlannedFault(state: State, { headers, keyText }: Exchange, { fault }: Route): Reply | null {
  if (fault === 'chat' || fault === 'media') {
    return null;
  }
  const chosen = state.faults.take({ route: fault, key: keyText, header: headers['x-sim-fault'] });
  return chosen === null ? null : answerWithFault(chosen.fault);
}
