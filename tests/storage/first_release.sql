-- What a database of the first release may hold: a row in every table.
INSERT INTO commune (commune_insee, name, school_zone) VALUES ('93051', 'Essai', 'C');
INSERT INTO simulation (commune_insee, seed, streets_source, started_at, history_until, wall_origin, simulated_origin, rate)
VALUES ('93051', 1, 'x', '2026-01-01Z', '2026-02-01Z', '2026-02-01Z', '2026-02-01Z', 180);
INSERT INTO place (commune_insee, place_id, kind, longitude_deg, latitude_deg) VALUES
    ('93051', 'B', 'bin', 2, 48), ('93051', 'L', 'delivery_bay', 2, 48), ('93051', 'S', 'parking_space', 2, 48),
    ('93051', 'D', 'depot', 2, 48), ('93051', 'E', 'disposal_site', 2, 48);
INSERT INTO bin (commune_insee, place_id, bin_kind, volume_l, service_s, surroundings)
VALUES ('93051', 'B', 'street', 80, 60, '{}');
INSERT INTO delivery_bay VALUES ('93051', 'L', 1200, 1800, 300, '{1,2,3}', '07:00', '20:00');
INSERT INTO parking_space VALUES ('93051', 'S', 'standard');
INSERT INTO disposal_site VALUES ('93051', 'E', 900);
INSERT INTO vehicle VALUES ('93051', 'V', 'Benne', 3500, 'D', '06:00', '12:30', 1800, '08:30', '10:30');
INSERT INTO device (commune_insee, eui, model) VALUES ('93051', 'd1', 'any');
INSERT INTO mounting SELECT '93051', device_id, 'B', '2026-01-01Z', NULL, 900, 100 FROM device;
INSERT INTO fill_reading (commune_insee, device_id, place_id, measured_at, record_index, received_at, quality, fill_fraction)
SELECT '93051', device_id, 'B', '2026-01-02Z', 0, '2026-01-02Z', 'ok', 0.5 FROM device;
INSERT INTO occupancy_reading (commune_insee, device_id, place_id, measured_at, record_index, received_at, quality, occupied)
SELECT '93051', device_id, 'L', '2026-01-02Z', 0, '2026-01-02Z', 'ok', true FROM device;
INSERT INTO device_event SELECT '93051', device_id, '2026-01-02Z', '2026-01-02Z', 'start', '{}' FROM device;
INSERT INTO refused_message (commune_insee, received_at, network, topic, payload, reason, detail)
VALUES ('93051', '2026-01-02Z', 'n', 't', 'x', 'too_old', 'x');
INSERT INTO intake_batch (commune_insee, collector, messages, stored, duplicates, refused) VALUES ('93051', 'c', 1, 1, 0, 0);
INSERT INTO service_event (commune_insee, event_id, place_id, kind, happened_at)
VALUES ('93051', gen_random_uuid(), 'B', 'emptied', '2026-01-02Z');
INSERT INTO forecast_run (commune_insee, run_id, model_version, as_of, made_at, trained_from, trained_until)
VALUES ('93051', '00000000-0000-0000-0000-000000000001', 'm', '2026-01-02Z', '2026-01-02Z', '2026-01-01Z', '2026-01-02Z');
INSERT INTO fill_forecast
VALUES ('93051', '00000000-0000-0000-0000-000000000001', 'B', '2026-01-02 06:00Z', 0.1, 0.2, 0.3, 0.4, 0.5, 0.1);
INSERT INTO plan VALUES ('93051', '00000000-0000-0000-0000-000000000002', '2026-01-03', '2026-01-02Z', '2026-01-02Z', 'e',
    1, 1, 't', '00000000-0000-0000-0000-000000000001', 1000, 3600, '{"accepted": true}', '{}');
INSERT INTO planned_route VALUES ('93051', '00000000-0000-0000-0000-000000000002', 0, 'V', '2026-01-03 06:00Z',
    '2026-01-03 07:00Z', 1000, 3600, '[]');
INSERT INTO planned_stop VALUES ('93051', '00000000-0000-0000-0000-000000000002', 0, 0, 'bin', 'B', 2, 48,
    '2026-01-03 06:10Z', '2026-01-03 06:11Z', 40, 100, '{}');
INSERT INTO plan_left_out VALUES ('93051', '00000000-0000-0000-0000-000000000002', 'B', '{}');
