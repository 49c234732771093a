// A small order service, written as if nobody had ever heard of MATRIX:
// express in front of PostgreSQL, and no line about telemetry.
//
// PostgreSQL is found the way `pg` finds it: PGHOST, PGPORT, PGUSER, PGDATABASE, or
// a connection string as the first argument. PORT chooses the port; 0, the
// default, lets the system choose. The line "listening on <port>" tells that it is ready.
'use strict';

const express = require('express');
const { Pool } = require('pg');

const pool = new Pool(process.argv[2] ? { connectionString: process.argv[2] } : {});
const app = express();

app.get('/orders/:id', async (req, res) => {
  const order = await pool.query('SELECT $1::int AS id, $2::text AS status', [req.params.id, 'PAID']);
  const items = await pool.query('SELECT item, item * 1000 AS price FROM generate_series(1, 3) AS item');
  res.json({ ...order.rows[0], items: items.rows });
});

// The history is counted by a statement that takes as long as ?seconds= says.
app.get('/members/:id/history', async (req, res) => {
  const seconds = Number(req.query.seconds ?? 0);
  const member = await pool.query('SELECT $1::int AS id', [req.params.id]);
  await pool.query(`SELECT pg_sleep(${seconds})`);
  const orders = await pool.query('SELECT id FROM generate_series(1, 20) AS id ORDER BY id DESC LIMIT 10');
  res.json({ ...member.rows[0], orders: orders.rows });
});

app.get('/broken', async (_req, res) => {
  await pool.query('SELECT * FROM a_table_that_is_not_there');
  res.end();
});

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on ${server.address().port}`);
});
