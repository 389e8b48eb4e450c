-- What an agent declared at a bin and took back. Only ever added to: the declaration stays as it was told.
CREATE TABLE service_withdrawal (
    commune_insee text NOT NULL,
    event_id      uuid NOT NULL,
    withdrawn_at  timestamptz NOT NULL,
    received_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (commune_insee, event_id),
    FOREIGN KEY (commune_insee, event_id) REFERENCES service_event
);
