-- The devices' life: stock, mountings with geometry, the history of who changed what, readings that lost their place, and
-- refused messages that can be replayed.

-- Counts the changes of a commune's registry. Collectors judge with one version of it and hold that version until they
-- commit; who changes the registry waits for them and makes them wait, so that no reading is stored by an outdated registry.
ALTER TABLE commune ADD COLUMN registry_version bigint NOT NULL DEFAULT 0;

-- The lock of a commune's registry. A volatile function sees in each statement what is committed by then: the version is
-- the one of after the wait.
CREATE FUNCTION hold_registry(communes text[]) RETURNS TABLE (commune_insee text, registry_version bigint)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1987012978, hashtext(held.code))
    FROM (SELECT code FROM unnest(communes) AS code ORDER BY code) AS held;
    RETURN QUERY
    SELECT commune.commune_insee, commune.registry_version FROM commune WHERE commune.commune_insee = ANY (communes);
END
$$;

-- Raises the version, once in a transaction and commune, and waits until nobody judges with the old one. The row comes
-- before the lock: whoever changes the registry takes them in this order.
CREATE FUNCTION touch_registry(changed_commune text) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF current_setting('voirie.touched_registry', true) IS DISTINCT FROM changed_commune THEN
        UPDATE commune SET registry_version = commune.registry_version + 1 WHERE commune.commune_insee = changed_commune;
        PERFORM pg_advisory_xact_lock(1987012978, hashtext(changed_commune));
        PERFORM set_config('voirie.touched_registry', changed_commune, true);
    END IF;
    RETURN (SELECT commune.registry_version FROM commune WHERE commune.commune_insee = changed_commune);
END
$$;

-- `changed_in` is the version of the registry in which the device last changed: what was refused with an older one is worth
-- another look.
ALTER TABLE device
    ADD COLUMN comment text,
    ADD COLUMN changed_in bigint NOT NULL DEFAULT 0;
UPDATE device SET status = 'in_stock'
WHERE status = 'mounted'
    AND NOT EXISTS (SELECT FROM mounting WHERE mounting.device_id = device.device_id AND mounting.unmounted_at IS NULL);
CREATE INDEX device_changed_in ON device (commune_insee, changed_in);

ALTER TABLE mounting
    ADD COLUMN mounting_height_mm integer CHECK (mounting_height_mm > 0),
    ADD COLUMN full_height_mm integer CHECK (full_height_mm > 0),
    ADD COLUMN orientation text NOT NULL DEFAULT 'down' CHECK (orientation IN ('down', 'up', 'across')),
    ADD COLUMN bin_shape text NOT NULL DEFAULT 'straight' CHECK (bin_shape IN ('straight', 'tapered', 'lying_cylinder')),
    ADD COLUMN bottom_ratio double precision CHECK (bottom_ratio >= 0),
    ADD CHECK ((bin_shape = 'tapered') = (bottom_ratio IS NOT NULL)),
    ADD CHECK (orientation <> 'across' OR mounting_height_mm IS NOT NULL AND full_height_mm IS NOT NULL);

-- Nothing refused overlapping mountings before. Where there are some, the later one tells when the earlier one ended; of
-- two that began at one moment, the device (or the place) keeps the last that was entered.
DELETE FROM mounting AS earlier USING mounting AS later
WHERE later.commune_insee = earlier.commune_insee AND later.place_id = earlier.place_id
    AND later.mounted_at = earlier.mounted_at AND later.device_id > earlier.device_id;
UPDATE mounting SET unmounted_at = later.mounted_at
FROM (
    SELECT
        device_id,
        mounted_at AS began_at,
        least(
            lead(mounted_at) OVER (PARTITION BY device_id ORDER BY mounted_at),
            lead(mounted_at) OVER (PARTITION BY commune_insee, place_id ORDER BY mounted_at)
        ) AS mounted_at
    FROM mounting
) AS later
WHERE later.device_id = mounting.device_id AND later.began_at = mounting.mounted_at
    AND later.mounted_at < coalesce(mounting.unmounted_at, 'infinity');
UPDATE device SET status = 'in_stock'
WHERE status = 'mounted'
    AND NOT EXISTS (SELECT FROM mounting WHERE mounting.device_id = device.device_id AND mounting.unmounted_at IS NULL);

-- One device is on one place at a time, and one place has one device. Ranges of one value stand in for equality, which
-- GiST has for ranges without an extension. Deferrable: devices may change places with each other in one transaction.
CREATE TYPE text_span AS RANGE (subtype = text, collation = "C");
DROP INDEX mounting_device_is_on_one_place;
ALTER TABLE mounting
    ADD CONSTRAINT mounting_device_is_on_one_place EXCLUDE USING gist (
        int8range(device_id, device_id, '[]') WITH &&, tstzrange(mounted_at, unmounted_at) WITH &&
    ) DEFERRABLE INITIALLY IMMEDIATE,
    ADD CONSTRAINT mounting_place_has_one_device EXCLUDE USING gist (
        text_span(commune_insee || ' ' || place_id, commune_insee || ' ' || place_id, '[]') WITH &&,
        tstzrange(mounted_at, unmounted_at) WITH &&
    ) DEFERRABLE INITIALLY IMMEDIATE;

-- Every change of a device, for good: `mounting` says where it was as we know it now, this says who told us what and when.
CREATE TABLE device_change (
    change_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    commune_insee text NOT NULL,
    device_id     bigint NOT NULL REFERENCES device ON DELETE CASCADE,
    kind          text NOT NULL CHECK (
        kind IN ('registered', 'model_changed', 'mounted', 'recalibrated', 'unmounted', 'retired', 'restocked', 'commented')
    ),
    happened_at   timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    place_id      text,
    author        text,
    comment       text,
    detail        jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX device_change_of_device ON device_change (device_id, change_id);

-- Readings of a time at which their device was on no place, as was told later. They come back when a place is told.
CREATE TABLE displaced_reading (
    commune_insee text NOT NULL,
    device_id     bigint NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('fill', 'occupancy')),
    measured_at   timestamptz NOT NULL,
    record_index  smallint NOT NULL,
    displaced_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    reading       jsonb NOT NULL,
    geometry      jsonb,
    PRIMARY KEY (device_id, measured_at, record_index, kind)
);

-- One row for each message and reason: equal bytes on one topic are one message, since MQTT tells a redelivery from a
-- repetition by nothing that outlives a connection, and all but garbage carries a time or a counter. `deliveries` counts.
ALTER TABLE refused_message
    ADD COLUMN digest bytea,
    ADD COLUMN deliveries integer NOT NULL DEFAULT 1 CHECK (deliveries > 0),
    ADD COLUMN last_received_at timestamptz,
    ADD COLUMN judged_in bigint NOT NULL DEFAULT 0,
    ADD COLUMN judged_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN resolved_at timestamptz,
    ADD COLUMN stored integer;
UPDATE refused_message
SET digest = sha256(convert_to(network || E'\n' || topic || E'\n', 'UTF8') || payload), last_received_at = received_at;
UPDATE refused_message SET deliveries = equal.deliveries, last_received_at = equal.last_received_at
FROM (
    SELECT min(refused_id) AS refused_id, count(*) AS deliveries, max(received_at) AS last_received_at
    FROM refused_message
    GROUP BY commune_insee, digest, reason
    HAVING count(*) > 1
) AS equal
WHERE equal.refused_id = refused_message.refused_id;
DELETE FROM refused_message AS again USING refused_message AS first
WHERE first.commune_insee = again.commune_insee AND first.digest = again.digest AND first.reason = again.reason
    AND first.refused_id < again.refused_id;
ALTER TABLE refused_message ALTER COLUMN digest SET NOT NULL, ALTER COLUMN last_received_at SET NOT NULL;
CREATE UNIQUE INDEX refused_message_once ON refused_message (commune_insee, digest, reason);
CREATE INDEX refused_message_open ON refused_message (commune_insee, device_eui) WHERE resolved_at IS NULL;
