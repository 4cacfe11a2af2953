-- Looked at every minute for all owners: the last hours of the sums, and paid calls without an answer.
CREATE INDEX usage_hours_hour ON usage_hours (hour);
CREATE INDEX calls_owed_of_owner ON calls (owner_id, resource_id) WHERE state = 'owed' AND answer IS NULL;
