-- Windows over windows: counts per minute, then the totals and the busiest minute of five minutes.
-- `window_time` is the time of a row that is a window.
CREATE VIEW minutes AS
SELECT window_start, window_end, window_time, host, count(*) AS requests
FROM TUMBLE(TABLE 'samples/access.csv', DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, window_time, host;

SELECT window_start, host, sum(requests) AS requests, max(requests) AS busiest_minute
FROM TUMBLE(TABLE minutes, DESCRIPTOR(window_time), INTERVAL '5' MINUTES)
GROUP BY window_start, window_end, host;
