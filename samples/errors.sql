-- The share of failed requests in the last five minutes, every minute.
SELECT window_end, count(*) AS requests, count_if(status >= 500) AS failed, round(avg(status >= 500), 4) AS error_rate
FROM HOP(TABLE 'samples/access.csv', DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTES)
GROUP BY window_start, window_end;
