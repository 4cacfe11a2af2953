/** Stands for all resources of an owner: with version 0 for all calls, with version -1 for those of a model. */
export const ALL_RESOURCES = '00000000-0000-0000-0000-000000000000';

/** Where a call counts: in its cell, and for all resources. */
export const places = `(
    VALUES (resource_id, version, model), ('${ALL_RESOURCES}'::uuid, 0, ''), ('${ALL_RESOURCES}'::uuid, -1, model))
    AS place (resource_id, version, model)`;
