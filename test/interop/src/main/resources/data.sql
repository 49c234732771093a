INSERT INTO orders (id, member_id, status) SELECT id, id % 10, 'PAID' FROM generate_series(1, 100) AS id ON CONFLICT DO NOTHING;
INSERT INTO order_item (order_id, product) SELECT id, 'product ' || id FROM orders ON CONFLICT DO NOTHING;
