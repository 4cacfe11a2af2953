-- Answers hold sound and film beside pictures; what a file is, its bytes have said before the row is made (src/media).
ALTER TABLE IF EXISTS x402_cached_images DROP CONSTRAINT IF EXISTS x402_cached_images_content_type_check;
-- What a run has begun at its upstream, for whoever runs the call again after its process died (src/gateway).
ALTER TABLE calls ADD COLUMN IF NOT EXISTS checkpoint jsonb;
