-- Who may speak to the broker: each device that publishes itself, and each network server, with what it may publish.
CREATE TABLE broker_credential (
    credential_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    commune_insee text NOT NULL REFERENCES commune,
    device_id     bigint REFERENCES device ON DELETE CASCADE,
    network       text CHECK (network <> ''),
    -- A network's topic filters; a device's topic follows from its name.
    topics        text[] CHECK (cardinality(topics) > 0),
    user_name     text NOT NULL CHECK (user_name ~ '^(device|network)[.][A-Za-z0-9._-]{1,100}$'),
    issued_at     timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz,
    revoked_at    timestamptz,
    -- The commune stands in each name, so that a name is one on the whole broker.
    UNIQUE (commune_insee, user_name),
    CHECK (starts_with(user_name, CASE WHEN network IS NULL THEN 'device.' ELSE 'network.' END || commune_insee || '.')),
    CHECK ((device_id IS NULL) <> (network IS NULL)),
    CHECK ((network IS NULL) = (topics IS NULL))
);
CREATE INDEX broker_credential_of_device ON broker_credential (device_id);

-- Apart, so that the role of the API, which reads every table that carries a commune, does not read these.
-- PBKDF2 with HMAC-SHA-512 (RFC 8018): what the broker's file holds, of a secret that nobody keeps.
CREATE TABLE broker_secret (
    credential_id bigint PRIMARY KEY REFERENCES broker_credential ON DELETE CASCADE,
    salt          text NOT NULL CHECK (length(salt) = 12),
    iterations    integer NOT NULL CHECK (iterations > 0),
    digest        bytea NOT NULL CHECK (length(digest) = 64)
);

-- What a broker that asks the database is answered; whoever may call them learns nothing of names that it does not know.
CREATE FUNCTION voirie_broker_login(wanted text) RETURNS TABLE (password_hash text, salt text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
AS $$
    SELECT encode(broker_secret.digest, 'hex'), broker_secret.salt
    FROM broker_credential JOIN broker_secret USING (credential_id) LEFT JOIN device USING (device_id)
    WHERE broker_credential.user_name = wanted
        AND broker_credential.revoked_at IS NULL
        AND (broker_credential.expires_at IS NULL OR broker_credential.expires_at > now())
        AND device.status IS DISTINCT FROM 'retired'
$$;

CREATE FUNCTION voirie_broker_rules(wanted text) RETURNS TABLE (permission text, action text, topic text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
AS $$
    SELECT 'allow', 'publish', allowed.topic
    FROM broker_credential LEFT JOIN device USING (device_id),
        LATERAL unnest(coalesce(
            broker_credential.topics,
            ARRAY['voirie/v1/' || broker_credential.commune_insee || '/' || device.eui || '/readings']
        )) AS allowed (topic)
    WHERE broker_credential.user_name = wanted
        AND broker_credential.revoked_at IS NULL
        AND (broker_credential.expires_at IS NULL OR broker_credential.expires_at > now())
        AND device.status IS DISTINCT FROM 'retired'
$$;

REVOKE ALL ON FUNCTION voirie_broker_login(text), voirie_broker_rules(text) FROM PUBLIC;
