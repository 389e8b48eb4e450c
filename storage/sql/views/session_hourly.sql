-- Stays by the UTC hour in which they began; hours whose sessions are forgotten come from the kept table.
CREATE VIEW session_hourly AS
SELECT
    commune_insee, place_id, hour, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s
FROM session_hourly_kept
UNION ALL
SELECT
    live.commune_insee, live.place_id, live.hour, live.sessions, live.dwells, live.dwell_s, live.dwell_counts, live.limited,
    live.overstays, live.overstay_s
FROM occupancy_session_hours AS live
LEFT JOIN forgotten ON forgotten.commune_insee = live.commune_insee AND forgotten.kind = 'occupancy_session'
WHERE live.hour >= coalesce(forgotten.kept_before, '-infinity');
