package sqltext

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAStatementIsReadAsAPersonWouldReadIt(t *testing.T) {
	f := func(system, raw string, want Statement) {
		t.Helper()
		got := Normalize(system, raw)
		if want.Tables == nil {
			want.Tables = []string{}
		}
		want.System, want.Hash = system, got.Hash
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s\n(-want +got)\n%s", system, raw, diff)
		}
		if again := Normalize(system, got.Text); IsSQL(system) && (again.Text != got.Text || again.Hash != got.Hash) {
			t.Errorf("read again, %q becomes %q", got.Text, again.Text)
		}
	}
	sel := []string{"SELECT"}

	f("mysql", "SELECT * FROM users WHERE id = 42 AND name = 'O''Brien' LIMIT 10",
		Statement{Text: "SELECT * FROM users WHERE id = ? AND name = ? LIMIT ?", Operation: "SELECT", Kinds: sel, Tables: []string{"users"}})
	f("mysql", "select\n  o.id,\tc.name from orders o, customers c -- all\n where o.c_id=c.id and o.n>-1;",
		Statement{Text: "select o.id, c.name from orders o, customers c where o.c_id = c.id and o.n > ?", Operation: "SELECT", Kinds: sel, Tables: []string{"orders", "customers"}})

	// The seed's case: a named statement, CTEs inside a subquery.
	f("mysql", "/* test.selectTotalHistory */ SELECT COUNT(1) FROM (WITH step1 AS (SELECT a.id FROM test_tb1 a JOIN test_tb2 b ON a.id = b.id), "+
		"step2 (x) AS (SELECT id FROM step1 JOIN test_tb3 c USING (id)) SELECT * FROM step2 s LEFT JOIN test_tb4 d ON d.id = s.x WHERE d.kind IN ('A', 'B', 'C')) t",
		Statement{
			Name: "test.selectTotalHistory", Operation: "SELECT", Kinds: sel, Joins: 3,
			Text: "SELECT COUNT(?) FROM (WITH step1 AS (SELECT a.id FROM test_tb1 a JOIN test_tb2 b ON a.id = b.id), " +
				"step2 (x) AS (SELECT id FROM step1 JOIN test_tb3 c USING (id)) SELECT * FROM step2 s LEFT JOIN test_tb4 d ON d.id = s.x WHERE d.kind IN (?)) t",
			Tables: []string{"test_tb1", "test_tb2", "test_tb3", "test_tb4"},
		})
	f("postgresql", "WITH step1 AS (SELECT 1 FROM a) SELECT * FROM step1",
		Statement{Text: "WITH step1 AS (SELECT ? FROM a) SELECT * FROM step1", Operation: "SELECT", Kinds: sel, Tables: []string{"a"}})
	f("postgresql", "WITH gone AS NOT MATERIALIZED (DELETE FROM live WHERE t < $1 RETURNING *) INSERT INTO archive SELECT * FROM gone",
		Statement{
			Text:      "WITH gone AS NOT MATERIALIZED (DELETE FROM live WHERE t < ? RETURNING *) INSERT INTO archive SELECT * FROM gone",
			Operation: "INSERT", Kinds: []string{"DELETE", "INSERT", "SELECT"}, Tables: []string{"live", "archive"},
		})
	f("postgresql", "WITH orders AS (SELECT * FROM orders WHERE x) SELECT 1 FROM orders",
		Statement{Text: "WITH orders AS (SELECT * FROM orders WHERE x) SELECT ? FROM orders", Operation: "SELECT", Kinds: sel, Tables: []string{"orders"}})
	f("postgresql", "WITH RECURSIVE tree AS (SELECT id FROM nodes UNION ALL SELECT n.id FROM nodes n JOIN tree USING (id)) SELECT * FROM tree",
		Statement{
			Text:      "WITH RECURSIVE tree AS (SELECT id FROM nodes UNION ALL SELECT n.id FROM nodes n JOIN tree USING (id)) SELECT * FROM tree",
			Operation: "SELECT", Kinds: sel, Tables: []string{"nodes"}, Joins: 1,
		})

	// FROM and UPDATE that name no table.
	f("postgresql", "SELECT EXTRACT(EPOCH FROM created), TRIM(both ' ' from name) FROM t WHERE a IS DISTINCT FROM b FOR UPDATE OF t",
		Statement{
			Text:      "SELECT EXTRACT(EPOCH FROM created), TRIM(both ? from name) FROM t WHERE a IS DISTINCT FROM b FOR UPDATE OF t",
			Operation: "SELECT", Kinds: sel, Tables: []string{"t"},
		})
	f("mysql", "INSERT INTO `shop`.`stock`(id, n) VALUES (1, NULL), (2, 5),(3, 7) ON DUPLICATE KEY UPDATE n = VALUES(n)",
		Statement{
			Text:      "INSERT INTO `shop`.`stock` (id, n) VALUES (?, ?) ON DUPLICATE KEY UPDATE n = VALUES (n)",
			Operation: "INSERT", Kinds: []string{"INSERT", "UPDATE"}, Tables: []string{"shop.stock"},
		})
	f("postgresql", `UPDATE ONLY public."Order Items" SET a = $1::text, b = '{}'::jsonb WHERE c = ANY('{1,2}')`,
		Statement{Text: `UPDATE ONLY public."Order Items" SET a = ?::text, b = ?::jsonb WHERE c = ANY (?)`, Operation: "UPDATE", Kinds: []string{"UPDATE"}, Tables: []string{"public.Order Items"}})
	f("oracle", "MERGE INTO t USING (SELECT :1 id FROM dual) s ON (t.id = s.id) WHEN MATCHED THEN UPDATE SET t.v = :v",
		Statement{
			Text:      "MERGE INTO t USING (SELECT ? id FROM dual) s ON (t.id = s.id) WHEN MATCHED THEN UPDATE SET t.v = ?",
			Operation: "MERGE", Kinds: []string{"MERGE", "SELECT", "UPDATE"}, Tables: []string{"t"},
		})
	f("mssql", "SET NOCOUNT ON; SELECT TOP 5 [dbo].[Users].[Id] INTO #tmp FROM [dbo].[Users] WITH (NOLOCK), x WHERE n = N'secret' AND i=@p0",
		Statement{
			Text:      "SET NOCOUNT ON; SELECT TOP ? [dbo].[Users].[Id] INTO #tmp FROM [dbo].[Users] WITH (NOLOCK), x WHERE n = ? AND i = ?",
			Operation: "SELECT", Kinds: sel, Tables: []string{"#tmp", "dbo.Users", "x"},
		})
	f("oracle", "{call pkg.run(?, ?)}", Statement{Text: "{ call pkg.run(?, ?) }", Operation: "CALL"})
	f("postgresql", "(SELECT a FROM b) UNION (SELECT c FROM d)",
		Statement{Text: "(SELECT a FROM b) UNION (SELECT c FROM d)", Operation: "SELECT", Kinds: sel, Tables: []string{"b", "d"}})
	f("mysql", "BEGIN; UPDATE t SET a=1; COMMIT;",
		Statement{Text: "BEGIN; UPDATE t SET a = ?; COMMIT", Operation: "UPDATE", Kinds: []string{"UPDATE"}, Tables: []string{"t"}})
	f("postgresql", "EXPLAIN ANALYZE SELECT 1 FROM t", Statement{Text: "EXPLAIN ANALYZE SELECT ? FROM t", Operation: "EXPLAIN", Kinds: sel, Tables: []string{"t"}})
	f("postgresql", "SELECT pg_sleep(9)", Statement{Text: "SELECT pg_sleep(?)", Operation: "SELECT", Kinds: sel})
	f("sqlite", `SELECT * FROM "a" JOIN b ON 1`, Statement{Text: `SELECT * FROM "a" JOIN b ON ?`, Operation: "SELECT", Kinds: sel, Tables: []string{"a", "b"}, Joins: 1})
	f("mysql", "CREATE TABLE IF NOT EXISTS t(id INT PRIMARY KEY)", Statement{Text: "CREATE TABLE IF NOT EXISTS t(id INT PRIMARY KEY)", Operation: "CREATE", Tables: []string{"t"}})
	f("mysql", "TRUNCATE t", Statement{Text: "TRUNCATE t", Operation: "TRUNCATE", Tables: []string{"t"}})
	f("mysql", "COMMIT", Statement{Text: "COMMIT", Operation: "COMMIT"})

	f("mysql", "UPDATE orders o INNER JOIN members m ON m.id=o.mid SET o.n=o.n+1 WHERE m.id IN (SELECT id FROM blocked)",
		Statement{
			Text:      "UPDATE orders o INNER JOIN members m ON m.id = o.mid SET o.n = o.n + ? WHERE m.id IN (SELECT id FROM blocked)",
			Operation: "UPDATE", Kinds: []string{"UPDATE", "SELECT"}, Tables: []string{"orders", "members", "blocked"}, Joins: 1,
		})
	f("mysql", "DELETE o FROM orders o JOIN members m ON m.id=o.mid",
		Statement{Text: "DELETE o FROM orders o JOIN members m ON m.id = o.mid", Operation: "DELETE", Kinds: []string{"DELETE"}, Tables: []string{"orders", "members"}, Joins: 1})
	f("postgresql", "SELECT 1 FROM a, LATERAL (SELECT * FROM b WHERE b.id = a.id) x, generate_series(1, 10) g, c",
		Statement{Text: "SELECT ? FROM a, LATERAL (SELECT * FROM b WHERE b.id = a.id) x, generate_series(?, ?) g, c", Operation: "SELECT", Kinds: sel, Tables: []string{"a", "b", "c"}})
	f("oracle", "SELECT * FROM (SELECT /*+ INDEX(e i) */ e.* FROM hr.employees e, hr.departments d WHERE e.d = d.id(+)) WHERE ROWNUM <= :2",
		Statement{
			Text:      "SELECT * FROM (SELECT e.* FROM hr.employees e, hr.departments d WHERE e.d = d.id(+)) WHERE ROWNUM <= ?",
			Operation: "SELECT", Kinds: sel, Tables: []string{"hr.employees", "hr.departments"},
		})
	f("h2", `SELECT "ID" FROM "PUBLIC"."USERS" WHERE "NAME" = ?1`,
		Statement{Text: `SELECT "ID" FROM "PUBLIC"."USERS" WHERE "NAME" = ?`, Operation: "SELECT", Kinds: sel, Tables: []string{"PUBLIC.USERS"}})

	// What the lexer leaves together.
	f("mysql", "SELECT*FROM`t`WHERE a!=b AND c/2>? AND d=:e AND x'ff'=y", Statement{
		Text: "SELECT * FROM `t` WHERE a != b AND c / ? > ? AND d = ? AND ? = y", Operation: "SELECT", Kinds: sel, Tables: []string{"t"},
	})
	f("postgresql", "SELECT a-1, -1 FROM t/* secret */", Statement{Text: "SELECT a - ?, ? FROM t", Operation: "SELECT", Kinds: sel, Tables: []string{"t"}})

	f("postgresql", `SELECT 1 FROM "s"."a" JOIN "s"."b" ON true JOIN "s"."a" c ON true`,
		Statement{Text: `SELECT ? FROM "s"."a" JOIN "s"."b" ON true JOIN "s"."a" c ON true`, Operation: "SELECT", Kinds: sel, Tables: []string{"s.a", "s.b"}, Joins: 2})

	// Truncated and foreign.
	f("mysql", "SELECT a FROM t WHERE s = 'never closed secret", Statement{Text: "SELECT a FROM t WHERE s = ?", Operation: "SELECT", Kinds: sel, Tables: []string{"t"}})
	f("mysql", "SELECT a /* never closed secret", Statement{Text: "SELECT a ?", Operation: "SELECT", Kinds: sel})
	// "…" under a system that nobody knows.
	f("other_sql", `SELECT "t"."name" n FROM "shop"."members" "t" JOIN "o" ON "t"."id" = "o"."id" WHERE "t"."mail"="kim" AND "n" BETWEEN "a" AND "b" AND "c" IN ("it""s", 2)`, Statement{
		Text:      `SELECT "t"."name" n FROM "shop"."members" "t" JOIN "o" ON "t"."id" = "o"."id" WHERE "t"."mail" = ? AND "n" BETWEEN ? AND ? AND "c" IN (?)`,
		Operation: "SELECT", Kinds: sel, Tables: []string{"shop.members", "o"}, Joins: 1,
	})
	f("gcp.bigquery", `INSERT INTO "a" ("b", "c") VALUES ("secret", NULL), ("x", 1)`,
		Statement{Text: `INSERT INTO "a" ("b", "c") VALUES (?, ?)`, Operation: "INSERT", Kinds: []string{"INSERT"}, Tables: []string{"a"}})
	f("other_sql", `SELECT * FROM a WHERE b IN (SELECT "id" FROM "c")`,
		Statement{Text: `SELECT * FROM a WHERE b IN (SELECT "id" FROM "c")`, Operation: "SELECT", Kinds: sel, Tables: []string{"a", "c"}})
	f("h2", `SELECT 1 FROM a WHERE "b" = "c"`, Statement{Text: `SELECT ? FROM a WHERE "b" = "c"`, Operation: "SELECT", Kinds: sel, Tables: []string{"a"}})
	f("", "hello world", Statement{Text: "hello world"})

	f("redis", "HSET user:1:mail a@b.c 5", Statement{Text: "HSET ?", Operation: "HSET"})
	f("redis", "MULTI\nGET k\nEXEC", Statement{Text: "MULTI; GET ?; EXEC", Operation: "MULTI"})
	f("mongodb", `{"find": "orders", "filter": {"_id": {"$in": [1, 2, 3]}, "mail": "a@b.c"}}`,
		Statement{Text: "{find: orders, filter: {_id: {$in: [?]}, mail: ?}}", Operation: "find", Tables: []string{"orders"}})
	f("mongodb", `{"find": "orders", "filter": {"_id`, Statement{Text: "{find: orders, filter: { …", Operation: "find", Tables: []string{"orders"}})
	f("mysql", "", Statement{})
}

func TestAStatementIsNamedByItsComment(t *testing.T) {
	f := func(raw, want string) {
		t.Helper()
		if got := Normalize("postgresql", raw).Name; got != want {
			t.Errorf("%s: name %q, want %q", raw, got, want)
		}
	}
	f("/* test.selectTotalHistory */ SELECT 1", "test.selectTotalHistory")
	f("SELECT /* com.shop.OrderMapper.find */ 1", "com.shop.OrderMapper.find")
	f("-- name: GetUser :one\nSELECT 1", "GetUser")
	f("/*+ INDEX(t i) */ SELECT 1", "")
	f("/* please do not touch this */ SELECT 1", "")
	f("SELECT 1 /*traceparent='00-1-2-01'*/", "")
}

func TestTheSameQueryWithOtherValuesHasTheSameHash(t *testing.T) {
	same := [][2]string{
		{"SELECT a FROM t WHERE i IN (1, 2, 3)", "SELECT a FROM t WHERE i IN (?,?)"},
		{"SELECT a FROM t WHERE i=-5", "SELECT a FROM t WHERE i = 'x'"},
		{"INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a) VALUES (1), (NULL), ('x')"},
		{"SELECT 1", "/* x.y */ SELECT $1 -- later"},
	}
	for _, pair := range same {
		a, b := Normalize("postgresql", pair[0]), Normalize("postgresql", pair[1])
		if a.Hash != b.Hash || a.Hash == 0 {
			t.Errorf("%q and %q: hashes %x and %x", a.Text, b.Text, a.Hash, b.Hash)
		}
	}
	if Normalize("mysql", "SELECT 1").Hash == Normalize("postgresql", "SELECT 1").Hash {
		t.Error("the system is part of the hash")
	}
	if Normalize("redis", "GET a").Hash != 0 {
		t.Error("what is no SQL has no hash")
	}
}

func TestNoLiteralReachesTheText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		system := rapid.SampledFrom([]string{"mysql", "postgresql", "oracle", "mssql", "sqlite", "h2"}).Draw(t, "system")
		secret := "SeCrEt" + rapid.StringMatching(`[A-Za-z0-9 @.;,()=%+*/?:$#-]{0,20}`).Draw(t, "literal") + "end"
		before := rapid.SampledFrom([]string{"a = ", "a=", "b IN (1, ", "f(x, ", "a <> ", "a LIKE ", "-- it's\n a = ", "/* it's */ a = ", "\"quoted\" = "}).Draw(t, "before")
		if system == "mysql" {
			before = strings.ReplaceAll(before, `"`, "`")
		}
		quote := "'"
		if rapid.Bool().Draw(t, "double") {
			quote = `"`
			system = rapid.SampledFrom([]string{"mysql", "mariadb", "clickhouse", "other_sql", "gcp.bigquery", "informix", ""}).Draw(t, "double_system")
			before = rapid.SampledFrom([]string{"a = ", "a=", "a <> ", "a LIKE ", "b IN (", "b IN (1, ", "a BETWEEN 1 AND ", "-- it's\n a >= ", "a || "}).Draw(t, "double_before")
		}
		text := Normalize(system, "SELECT x FROM t WHERE "+before+quote+secret+quote).Text
		if strings.Contains(text, "SeCrEt") || strings.Contains(text, "end") {
			t.Fatalf("%s: %q", system, text)
		}
	})
}

func TestLiteralsAreWhatMayBeSomebodysData(t *testing.T) {
	got := Literals("postgresql", "SELECT 'it''s' FROM t WHERE a = 12345 AND b = -1234567 AND c = $$x$$ AND d IN ($1, 'kim@x.io')")
	if diff := cmp.Diff([]string{"it's", "1234567", "x", "kim@x.io"}, got); diff != "" {
		t.Error(diff)
	}
	got = Literals("other_sql", `SELECT "name" FROM "members" WHERE "mail" = "kim@x.io" AND "name" LIKE "%kim%"`)
	if diff := cmp.Diff([]string{"kim@x.io", "%kim%"}, got); diff != "" {
		t.Error(diff)
	}
	if got := Literals("redis", "GET 'a'"); got != nil {
		t.Errorf("no SQL: %q", got)
	}
}

func TestALongStatementIsCutVisibly(t *testing.T) {
	s := Normalize("mysql", "SELECT "+strings.Repeat("한글_column, ", 5000)+"x FROM t")
	if len(s.Text) > maxStatementText || !strings.HasSuffix(s.Text, cutMark) {
		t.Fatalf("%d bytes, ends in %q", len(s.Text), s.Text[len(s.Text)-10:])
	}
}

func FuzzNormalize(f *testing.F) {
	for _, raw := range []string{
		"SELECT * FROM a WHERE b = 'SECRETvalue' AND c IN (1,2)", "WITH a AS (SELECT 1), b(c) AS (SELECT 2) SELECT * FROM a, b",
		"INSERT INTO t(a) VALUES (1),(2) ON CONFLICT DO UPDATE SET a = 1", "((((", "))))", "IN (IN (1), VALUES (", "a?b!c/d::e:f", "$$", "`", "\"a\".", "{\"find\":[{",
		"SELECT a FROM b. WHERE", "N'x' x'1", "UPDATE \x00 SET", "FROM FROM JOIN JOIN ,,", "WITH WITH AS AS (", strings.Repeat("(", 300) + strings.Repeat(")", 300),
	} {
		for _, system := range []string{"mysql", "postgresql", "oracle", "mssql", "sqlite", "redis", "mongodb", ""} {
			f.Add(system, raw)
		}
	}
	f.Fuzz(func(t *testing.T, system, raw string) {
		s := Normalize(system, raw)
		if len(s.Text) > maxStatementText {
			t.Fatalf("text of %d bytes", len(s.Text))
		}
		if s.Tables == nil {
			t.Fatal("tables are never null")
		}
		if IsSQL(system) && s.Text != "" && s.Hash == 0 {
			t.Fatal("a SQL statement has a hash")
		}
	})
}
