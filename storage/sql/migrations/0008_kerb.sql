-- The kerb: delivery areas, zones and street faces beside bays and spaces, with their lives and the rules of by-laws.

ALTER TABLE place DROP CONSTRAINT place_kind_check;
ALTER TABLE place ADD CONSTRAINT place_kind_check CHECK (kind IN (
    'bin', 'delivery_bay', 'parking_space', 'depot', 'disposal_site', 'delivery_area', 'zone', 'street_face'
));

-- Rules of a place, in the order in which they are laid over each other; equal lists are stored once. A set never
-- changes: a place whose rules change takes another.
CREATE TABLE rule_set (
    commune_insee text NOT NULL REFERENCES commune,
    rule_set_id   text NOT NULL,
    rules         jsonb NOT NULL CHECK (jsonb_typeof(rules) = 'array'),
    PRIMARY KEY (commune_insee, rule_set_id)
);

-- What is told of a place at the kerb. Days are local; `valid_until` is the last one of its life.
CREATE TABLE kerb_place (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    name          text,
    part_of       text,
    geometry      jsonb,
    capacity      integer CHECK (capacity > 0),
    valid_from    date,
    valid_until   date CHECK (valid_until >= valid_from),
    rule_set_id   text,
    source        text,
    source_id     text,
    attributes    jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (commune_insee, place_id),
    FOREIGN KEY (commune_insee, place_id) REFERENCES place ON DELETE CASCADE,
    FOREIGN KEY (commune_insee, part_of) REFERENCES place (commune_insee, place_id) ON DELETE SET NULL (part_of),
    FOREIGN KEY (commune_insee, rule_set_id) REFERENCES rule_set,
    CHECK (part_of <> place_id)
);
CREATE INDEX kerb_place_part_of ON kerb_place (commune_insee, part_of) WHERE part_of IS NOT NULL;

-- The one rule that a delivery bay had becomes its set of rules.
CREATE TEMPORARY TABLE bay_rule ON COMMIT DROP AS
SELECT
    commune_insee,
    place_id,
    jsonb_build_array(jsonb_build_object(
        'use', 'delivery',
        'days', to_jsonb(ARRAY(SELECT DISTINCT day FROM unnest(enforced_days) AS day ORDER BY day)),
        'starts', to_char(enforced_from, 'HH24:MI:SS'),
        'ends', to_char(enforced_until, 'HH24:MI:SS'),
        'holidays', 'as_usual',
        'max_stay_s', max_stay_s,
        'grace_s', grace_s,
        'priority', 0
    )) AS rules
FROM delivery_bay
WHERE cardinality(enforced_days) > 0;
INSERT INTO rule_set (commune_insee, rule_set_id, rules)
SELECT DISTINCT commune_insee, left(encode(sha256(convert_to(rules::text, 'UTF8')), 'hex'), 16), rules FROM bay_rule;
INSERT INTO kerb_place (commune_insee, place_id, rule_set_id)
SELECT commune_insee, place_id, left(encode(sha256(convert_to(rules::text, 'UTF8')), 'hex'), 16) FROM bay_rule;
INSERT INTO kerb_place (commune_insee, place_id)
SELECT commune_insee, place_id FROM place WHERE kind IN ('delivery_bay', 'parking_space')
ON CONFLICT DO NOTHING;

ALTER TABLE delivery_bay
    DROP COLUMN max_stay_s,
    DROP COLUMN grace_s,
    DROP COLUMN enforced_days,
    DROP COLUMN enforced_from,
    DROP COLUMN enforced_until,
    ALTER COLUMN length_cm DROP NOT NULL;

-- How long each stay was beyond the limit of the rules that held then; null where none was counted or nobody knows.
ALTER TABLE occupancy_session ADD COLUMN overstay_s double precision CHECK (overstay_s >= 0);
