-- A session that its device proves from time to time by a key of its own (api/device_proof.py): how often, seconds; what
-- challenges and proofs are made of; the device's public key, once told, and when; the newest challenge that was answered.
ALTER TABLE login_session
    ADD COLUMN proof_s integer CHECK (proof_s > 0),
    ADD COLUMN proof_key bytea CHECK (length(proof_key) = 32),
    ADD COLUMN device_key jsonb,
    ADD COLUMN bound_at timestamptz,
    ADD COLUMN proved_at timestamptz,
    ADD CHECK ((proof_s IS NULL) = (proof_key IS NULL));
