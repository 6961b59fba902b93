-- Requests per minute and status.
SELECT window_start, status, count(*) AS requests, round(avg(latency_ms), 2) AS latency_ms
FROM TUMBLE(TABLE 'samples/access.ndjson', DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, status
ORDER BY window_start, status;
