-- The sessions of each user: requests at most half a minute apart belong together. Those with five
-- requests and more.
SELECT user, window_start, max(ts) AS last_request, count(*) AS requests, count(DISTINCT path) AS paths
FROM SESSION(TABLE 'samples/access.csv' PARTITION BY user, DESCRIPTOR(ts), INTERVAL '30' SECONDS)
GROUP BY user, window_start, window_end
HAVING count(*) >= 5;
