package main

// answer is what the model says: about 400 bytes, nothing in it is masked.
const answer = "The checkout latency rose because the orders query began to scan the whole table after the deploy at noon. " +
	"Its index on the customer and the date was dropped by the migration, so each request holds a connection for two seconds and the pool is empty. " +
	"First restore the index, then raise the pool only if the waiting does not end. " +
	"Watch the share of failed payments for ten minutes and roll the release back if it does not fall."

// originals are parts of the prompt that must not reach a model behind MATRIX.
var originals = []string{"minji.kim@shop.example.com", "10.42.7.19", "sk-live-9f8e7d6c5b4a39281706f5e4d3c2b1a0"}

// evidence is an incident as MATRIX's own reports put it to a model: about 4 KB.
const evidence = `Incident 4711: p95 of POST /checkout is 4,812 ms (usual: 240 ms) since 2026-11-28T12:04:31Z, 18.4 % of requests failed.

Service checkout (version 2.31.0, deployed 2026-11-28T12:01:12Z, 6 pods)
  checkout-7d9f8b6c5d-x2x9k on 10.42.7.19: 412 requests, 91 errors, cpu 0.93, memory 812 MiB
  checkout-7d9f8b6c5d-p8q4m on 10.42.7.23: 398 requests, 77 errors, cpu 0.91, memory 808 MiB
  checkout-7d9f8b6c5d-z6w1t on 10.42.9.11: 405 requests, 82 errors, cpu 0.94, memory 815 MiB

Slowest transaction 5a1c7be0d4f94a0e8f6a1d2b3c4d5e6f, 6,204 ms
  POST /checkout                                        6,204 ms
    SELECT orders (jdbc:postgresql://orders-db.prod.internal:5432/orders)   2,118 ms
      SELECT o.id, o.total, o.state FROM orders o WHERE o.customer_id = 88123 AND o.created_at > '2026-11-01' ORDER BY o.created_at DESC LIMIT 20
    SELECT orders (same statement)                      2,094 ms
    POST https://payments.partner.example.com/v2/charges?merchant=shop-kr&token=tok_5Gh8Jk2Lm4Np  1,602 ms, status 504
    UPDATE stock SET reserved = reserved + 1 WHERE sku = 'SKU-99120-KR' AND warehouse = 'ICN-2'   41 ms

Logs of the same minute
  12:05:02.114 ERROR HikariPool-1 - Connection is not available, request timed out after 30000ms (total=20, active=20, idle=0, waiting=57)
  12:05:02.120 ERROR o.s.web.servlet.DispatcherServlet - Servlet.service() threw exception
    java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available
      at com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:696)
      at com.zaxxer.hikari.pool.HikariPool.getConnection(HikariPool.java:181)
      at com.shop.checkout.OrderRepository.findRecent(OrderRepository.java:58)
      at com.shop.checkout.CheckoutService.place(CheckoutService.java:131)
      at com.shop.checkout.CheckoutController.post(CheckoutController.java:44)
  12:05:02.377 WARN  payment of minji.kim@shop.example.com was retried (attempt 3 of 3), phone 010-4821-7730
  12:05:02.391 WARN  charge refused: gateway timeout, authorization: Bearer sk-live-9f8e7d6c5b4a39281706f5e4d3c2b1a0
  12:05:03.006 INFO  GET /healthz 200 2 ms from 10.42.0.1
  12:05:03.441 ERROR upstream payments.partner.example.com:443 connect timeout after 1500 ms, peer 203.0.113.77

Changes before
  12:01:12 deploy checkout 2.31.0 (commit 4be19d2, migration V87__drop_unused_indexes.sql)
  11:58:40 configuration: spring.datasource.hikari.maximum-pool-size 20 (unchanged)
  11:40:03 scale: checkout 4 -> 6 pods

Database orders-db.prod.internal
  pg_stat_statements: SELECT orders … calls 1,204, mean 2,081 ms (yesterday: 3.1 ms), rows 24,080, shared_blks_read 9,441,203
  locks: none waiting longer than 100 ms
  connections 120 of 200, of checkout 120, cpu 0.98, iops 11,400 of 12,000

Traffic
  requests a minute 2,410 (usual 2,380), by region: KR 91 %, JP 6 %, US 3 %
  error rate by pod: 22 %, 19 %, 20 %, 17 %, 16 %, 16 %
  clients: web 71 %, android 18 %, ios 11 %, no client stands out

Services that call checkout
  storefront 2,204 requests a minute, p95 5,011 ms, 17.9 % failed
  mobile-api 206 requests a minute, p95 4,920 ms, 19.2 % failed
  batch-settlement none since 11:30

Similar incidents (by signature, the most alike first; what was done is from their reports)
  4502 on 2026-10-03: p95 of POST /checkout 3,950 ms after the migration V81 changed the type of orders.customer_id; restored by V82
  4377 on 2026-09-11: the pool was empty because payments.partner.example.com answered in 9 s; the circuit was opened by hand
  4120 on 2026-08-02: the node ip-10-42-9-88.ap-northeast-2.compute.internal ran out of memory and three pods moved, which took 4 min

People on call
  first: h.park@shop.example.com (010-2231-9004), second: dba@shop.example.com, runbook https://wiki.prod.internal/runbooks/checkout?id=4711#pool

Objectives
  checkout p95 <= 500 ms over 28 days: 71 % of the budget is left; availability 99.9 %: 38 % is left, at this rate none in 5 h 10 min

Say in a few sentences what most likely happened, what to do first, and what to watch.
`
