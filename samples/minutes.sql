-- How a web service did, minute by minute.
SELECT window_start, count(*) AS requests, count_if(status >= 500) AS failed,
       round(avg(latency_ms), 1) AS average_ms, round(p95(latency_ms), 1) AS p95_ms
FROM TUMBLE(TABLE 'samples/access.csv', DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
