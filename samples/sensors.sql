-- Every tenth reading of a sensor closes a window of its last twenty, whatever the clock says.
SELECT sensor, window_start AS first, window_end AS behind_last, min(ts) AS since, round(avg(temperature), 2) AS temperature
FROM COUNT_WINDOW(TABLE 'samples/sensors.csv' PARTITION BY sensor, 20, 10)
GROUP BY sensor, window_start, window_end;
