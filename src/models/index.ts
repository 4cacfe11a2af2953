/**
 * The catalogue of AI models: sync, history, search, and the snapshot that ships for offline use.
 * Invariants: a sync changes everything or nothing; each change leaves a row of history; prices are exact decimal strings;
 * what cannot be read keeps its last good value; a model is gone only when several lists in a row have lacked it;
 * capabilities come only from what the catalogue declares; its texts hold no control characters but may say anything.
 */
export type { ModelEndpoint } from './endpoint.ts';
export { fillCatalogue } from './fill-catalogue.ts';
export { findPricedModel } from './find-endpoints.ts';
export { forgetModels, findModelId, modelsChannel } from './find-model.ts';
export { findNearestModels } from './find-nearest.ts';
export { getModel } from './get-model.ts';
export { listEndingModels, listPricedSubstitutes } from './list-ending.ts';
export { listEndpoints } from './list-endpoints.ts';
export { listModelChanges } from './list-model-changes.ts';
export { listModels } from './list-models.ts';
export { listPriceHistory } from './list-prices.ts';
export { listSubstitutes } from './list-substitutes.ts';
export { toPerMillion } from './per-million.ts';
export { pickPrices, priceUsage } from './price-usage.ts';
export type { PricedUsage, Tier } from './price-usage.ts';
export type { Prices, Pricing } from './pricing.ts';
export { readModelName, toWireName } from './model-name.ts';
export type { ModelName, RoutingSuffix } from './model-name.ts';
export type { OddField } from './model.ts';
export { openModels } from './open-models.ts';
export type { ModelsDeps } from './open-models.ts';
export { receiveEvent } from './receive-event.ts';
export { refreshEndpoints, refreshWanted } from './refresh-endpoints.ts';
export { scheduleModelSync } from './schedule-model-sync.ts';
export { readSnapshot } from './snapshot/read-snapshot.ts';
export { syncModels } from './sync-models.ts';
export { triggerSync } from './trigger-sync.ts';
