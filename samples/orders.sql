-- A table that says everything itself: types, a computed column, and how late a row may come.
CREATE TABLE orders (
    ts TIMESTAMP(3),
    order_id BIGINT,
    customer STRING,
    item STRING,
    quantity INT,
    price DECIMAL(8, 2),
    amount AS quantity * price,
    WATERMARK FOR ts AS ts - INTERVAL '3' SECOND
) WITH (path = 'samples/orders.csv', format = 'csv');

-- The two items that sold best in each two minutes.
SELECT window_start, item, count(*) AS orders, sum(amount) AS revenue
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '2' MINUTES)
GROUP BY window_start, window_end, item
ORDER BY window_start, revenue DESC
LIMIT 2 BY window_start;
