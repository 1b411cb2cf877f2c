-- Strict keys: those that refuse the exchange's MD5 signature. Keys made before are none.

ALTER TABLE api_key ADD COLUMN strict INTEGER NOT NULL DEFAULT 0 CHECK (strict IN (0, 1));
