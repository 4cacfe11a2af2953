/** Stands for all resources of an owner: with version 0 for all calls, with version -1 for those of a model. */
export const ALL_RESOURCES = '00000000-0000-0000-0000-000000000000';
