CREATE TABLE IF NOT EXISTS orders (
    id        BIGINT PRIMARY KEY,
    member_id BIGINT NOT NULL,
    status    TEXT   NOT NULL
);
CREATE TABLE IF NOT EXISTS order_item (
    order_id BIGINT NOT NULL REFERENCES orders (id),
    product  TEXT   NOT NULL,
    PRIMARY KEY (order_id, product)
);
