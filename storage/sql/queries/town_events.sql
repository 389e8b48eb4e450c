-- name: save^
-- An event is known by its name and its start; telling it again corrects the rest.
INSERT INTO town_event (
    commune_insee, event_id, kind, name, starts_at, ends_at, weekly_until, longitude_deg, latitude_deg, radius_m
)
VALUES (
    :commune_insee, :event_id, :kind, :name, :starts_at, :ends_at, :weekly_until, :longitude_deg, :latitude_deg, :radius_m
)
ON CONFLICT (commune_insee, name, starts_at) DO UPDATE
SET kind = excluded.kind, ends_at = excluded.ends_at, weekly_until = excluded.weekly_until,
    longitude_deg = excluded.longitude_deg, latitude_deg = excluded.latitude_deg, radius_m = excluded.radius_m,
    told_at = now()
WHERE (town_event.kind, town_event.ends_at, town_event.weekly_until, town_event.longitude_deg, town_event.latitude_deg,
    town_event.radius_m)
    IS DISTINCT FROM (excluded.kind, excluded.ends_at, excluded.weekly_until, excluded.longitude_deg,
    excluded.latitude_deg, excluded.radius_m)
RETURNING event_id = :event_id;

-- name: every
-- An event that comes again each week is not over before its last week.
SELECT event_id, kind, name, starts_at, ends_at, weekly_until, longitude_deg, latitude_deg, radius_m
FROM town_event
WHERE commune_insee = :commune_insee
    AND starts_at < :until
    AND (ends_at > :since OR weekly_until >= :since::timestamptz::date - 1)
ORDER BY starts_at, name;

-- name: remove!
DELETE FROM town_event WHERE commune_insee = :commune_insee AND event_id = :event_id;
