-- What more kinds of devices and networks say with a reading. `network_time` is when the network received the frame, apart
-- from the event's time (measured_at) and from ours (received_at); `device_full` and `fire` are alarms of the device itself.

ALTER TABLE fill_reading
    ADD COLUMN network_time timestamptz,
    ADD COLUMN battery_v real,
    ADD COLUMN fire boolean,
    ADD COLUMN device_full boolean,
    ADD COLUMN rssi_dbm real,
    ADD COLUMN snr_db real;

ALTER TABLE occupancy_reading
    ADD COLUMN network_time timestamptz,
    ADD COLUMN battery_v real,
    ADD COLUMN rssi_dbm real,
    ADD COLUMN snr_db real;
