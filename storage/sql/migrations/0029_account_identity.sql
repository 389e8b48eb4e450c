-- People whom the town's identity provider knows, and what its claims grant them, apart from what was granted by hand.
CREATE TABLE account_identity (
    issuer     text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 2000),
    subject    text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    email      text CHECK (length(email) <= 254),
    linked_at  timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX ON account_identity (account_id);

ALTER TABLE account_grant ADD COLUMN granted_by text NOT NULL DEFAULT 'hand' CHECK (granted_by IN ('hand', 'claims'));
ALTER TABLE account_grant DROP CONSTRAINT account_grant_pkey;
ALTER TABLE account_grant ADD PRIMARY KEY (account_id, commune_insee, role, granted_by);

-- What the provider's log-out asks for; it goes with the session.
ALTER TABLE login_session ADD COLUMN id_token text CHECK (length(id_token) <= 20000);
