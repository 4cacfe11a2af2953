-- An answer may be made long after its payment, so its retention counts from the last change of its call.
DROP INDEX calls_kept;
CREATE INDEX calls_kept ON calls (updated_at)
  WHERE (answer IS NOT NULL OR payment ? 'raw') AND state IN ('delivered', 'owed', 'refunded', 'unpaid', 'refused', 'failed');
