package mask_test

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
)

func masked(t *testing.T, s *mask.Session, text string) string {
	t.Helper()
	out, err := s.Mask(text)
	if err != nil {
		t.Fatalf("Mask(%q): %v", text, err)
	}
	if back := s.Unmask(out); back != text {
		t.Fatalf("Unmask(Mask(x)) is not x:\n  x      %q\n  masked %q\n  back   %q", text, out, back)
	}
	return out
}

func TestAMaskedValueKeepsItsShape(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		got := masked(t, mask.NewSession(), text)
		if !regexp.MustCompile(`^` + want + `$`).MatchString(got) {
			t.Errorf("Mask(%q) = %q, want the shape %s", text, got, want)
		}
	}
	const w = `[a-z][a-z0-9]{5,10}`
	f("jdbc:mysql://real-database-url.com:3306/real_db", `jdbc:mysql://`+w+`:3306/`+w)
	f("jdbc:mysql://db-a:3306,db-b:3307/shop?user=kim&password=s3cret", `jdbc:mysql://`+w+`:3306,`+w+`:3307/`+w+`\?`+w+`=`+w+`&`+w+`=`+w)
	f("jdbc:postgresql://10.1.2.3/shop", `jdbc:postgresql://198\.1[89]\.\d{3}\.\d{3}/`+w)
	f("jdbc:oracle:thin:@ora.corp:1521:PRODDB", `jdbc:oracle:thin:@`+w+`:1521:[A-Z0-9]{7}`)
	f("jdbc:sqlserver://sql01:1433;databaseName=shop;user=sa", `jdbc:sqlserver://`+w+`:1433;[a-zA-Z0-9]+=`+w+`;`+w+`=`+w)
	f("jdbc:postgresql:shop", `jdbc:postgresql:`+w)
	f("call to https://pay.kakao.com:8443/v1/cards/77?cvc=123#top failed", `call to https://`+w+`:8443/`+w+`/`+w+`/`+w+`\?`+w+`=`+w+`#`+w+` failed`)
	f("postgres://app:pw@db.internal:5432/orders", `postgres://`+w+`:`+w+`@`+w+`:5432/`+w)
	f("GET /v1/api/{id}/test", `GET /`+w+`/`+w+`/\{`+w+`\}/`+w)
	f("from 10.20.30.40 to fe80::1ff:fe23:4567:890a", `from 198\.1[89]\.\d{3}\.\d{3} to 2001:db8:[0-9a-f]+:[0-9a-f]+::[0-9a-f]+`)
	f("addr:fe80::1ff:1 done", `addr:2001:db8:[0-9a-f:]+ done`)
	f("mail kim.chul-su@kakaocorp.com now", `mail `+w+`@x\.example now`)
	f("call 010-1234-5678 or +82 10-9876-5432 or 02-123-4567", `call 010-0\d{3}-\d{4} or \+82 0\d-\d{4}-\d{4} or 02-0\d{2}-\d{4}`)
	f("UnknownHostException: redis-master", `UnknownHostException: `+w)
	f("Connection to mysql-prod:3306 refused", `Connection to `+w+`:3306 refused`)
	f("SELECT * FROM shop.users u, `order` o WHERE u.name = '김철수' AND o.memo = 'it''s' AND x = \"q w\"",
		`SELECT \* FROM `+w+`\.`+w+` u, `+"`"+w+"`"+` o WHERE u.name = '`+w+`' AND o.`+w+` = '`+w+`' AND x = "`+w+`"`)
	f("Server=x;Password=hunter22;Pooling", `Server=`+w+`;Password=`+w+`;Pooling`)
	f("Authorization: Bearer abcDEF123.456-789", `Authorization: Bearer [a-zA-Z0-9]+`)
	f("card 4111-1111-1111-1111, 900101-1234567", `card `+w+`, `+w)
	f("insert into Member(id) values('a-1')", `insert into [A-Z][a-z0-9]{7}\(id\) values\('`+w+`'\)`)
}

func TestEveryClassIsFoundByItsFormOrItsPlace(t *testing.T) {
	f := func(class mask.Class, text string, originals ...string) {
		t.Helper()
		s := mask.NewSession()
		got := masked(t, s, text)
		for _, original := range originals {
			if strings.Contains(got, original) {
				t.Errorf("%q survived in %q", original, got)
			}
		}
		if !slices.ContainsFunc(s.Summary(), func(c mask.Count) bool { return c.Class == class }) {
			t.Errorf("%q has nothing of the class %s: %v", text, class, s.Summary())
		}
	}
	f(mask.Host, "Host: db-7.moim.co.kr is down", "moim")
	f(mask.Pod, "pod shop-api-6945c568f-2ghw8 restarted, then kafka-0", "shop-api", "kafka")
	f(mask.IP, "from 10.1.2.3 to [2404:6800:4004::200e]:443", "10.1.2.3", "6800")
	f(mask.Database, "dbname=crm_main", "crm")
	f(mask.Table, "select 1 from tb_order where x=1", "tb_order")
	f(mask.Column, "SELECT mbr_grade FROM t WHERE join_dt > 3", "mbr_grade", "join_dt")
	f(mask.Literal, "UPDATE a_b SET c_d = 'Kim' WHERE n = 1234567", "Kim", "1234567")
	f(mask.Resident, "900101-1234567 and 9001011234567", "900101")
	f(mask.Card, "4111 1111 1111 1111 and 5555555555554444", "1111", "5555")
	f(mask.Business, "사업자 120-81-47521", "47521")
	f(mask.Account, "계좌 110-234-567890 and bank account 12345678901", "567890", "12345678901")
	f(mask.Secret, "Authorization: Bearer abc.DEF-123_456, password=qwer, gh"+"p_0123456789abcdefghijABCDEFGHIJ012345", "abc.DEF", "qwer", "ghp_")
	f(mask.Secret, "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY----- done", "MIIE")
	f(mask.Cookie, "Cookie: a=b1c2d3e4; SESSION=9z8y7x6w", "b1c2d3e4", "9z8y7x6w")
	f(mask.Path, `/home/kim/x.log, /Users/lee/y.log, C:\Users\park\z.log`, "kim", "lee", "park")
}

func TestAnAddressAndAStatementKeepTheirSyntax(t *testing.T) {
	s := mask.NewSession()
	got := masked(t, s, "http://kim:pw@pay.moim.co.kr:8443/v1/cards/77?cvc=123#top")
	u, err := url.Parse(got)
	if err != nil || u.Scheme != "http" || u.Port() != "8443" || u.User == nil || len(u.Query()) != 1 || u.Fragment == "" || strings.Count(u.Path, "/") != 3 {
		t.Errorf("%q: %v", got, err)
	}
	ip, err := netip.ParseAddr(masked(t, s, "10.1.2.3"))
	if err != nil || !netip.MustParsePrefix("198.18.0.0/15").Contains(ip) {
		t.Errorf("%v, %v", ip, err)
	}
	words := strings.Fields(masked(t, s, "UPDATE shop.tb_order SET order_grade = 'gold' WHERE order_no = 7654321 AND id = ?"))
	if len(words) != 14 || words[0] != "UPDATE" || words[2] != "SET" || words[6] != "WHERE" || !strings.Contains(words[1], ".") || !strings.HasPrefix(words[5], "'val") {
		t.Errorf("%q", words)
	}
}

func TestWhatDatabasesSayInTheirMessagesIsMasked(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		got := masked(t, mask.NewSession(), text)
		if !regexp.MustCompile(`^` + want + `$`).MatchString(got) {
			t.Errorf("Mask(%q) = %q, want the shape %s", text, got, want)
		}
	}
	const w = `[a-zA-Z][a-zA-Z0-9]{5,10}`
	// PostgreSQL
	f("Detail: Key (name)=(홍길동) already exists.", `Detail: Key \(name\)=\(`+w+`\) already exists\.`)
	f("Key (lower(mail::text), city)=(kim (sales), 서울) is not present in table", `Key \(lower\(mail::text\), `+w+`\)=\(`+w+`\) is not present in table`)
	f("Failing row contains (1, 홍길동, null, Kim (b)).", `Failing row contains \(`+w+`\)\.`)
	f(`invalid input syntax for type uuid: "xy"`, `invalid input syntax for type uuid: "`+w+`"`)
	f(`invalid input value for enum mood: "홍"`, `invalid input value for enum mood: "`+w+`"`)
	f(`value "4111222233334444" is out of range for type integer`, `value "`+w+`" is out of range for type integer`)
	f(`For input string: "900101"`, `For input string: "`+w+`"`)
	// SQL Server, MySQL, MongoDB
	f("The duplicate key value is (홍길동, 3).", `The duplicate key value is \(`+w+`\)\.`)
	f("Duplicate entry 'O'Brien' for key 'PRIMARY'", `Duplicate entry '`+w+`' for key 'PRIMARY'`)
	f("Duplicate entry 'xy' for key 'uk_mail'", `Duplicate entry '`+w+`' for key '`+w+`'`)
	f(`duplicate key error collection: shop.users index: mail_1 dup key: { mail: "kim" }`, `duplicate key error collection: `+w+`\.`+w+` index: mail_1 dup key: \{`+w+`\}`)
	// Where a database is, and who asked
	f("Connection refused: shopdb/10.0.0.5:3306", `Connection refused: `+w+`/198\.1[89]\.\d{3}\.\d{3}:3306`)
	f("Connection refused: no further information: shop_db/<unresolved>:3306", `Connection refused: no further information: `+w+`/<unresolved>:3306`)
	f(`connection to server at "db-main" (10.0.0.5), port 5432 failed`, `connection to server at "`+w+`" \(198\.1[89]\.\d{3}\.\d{3}\), port 5432 failed`)
	f(`password authentication failed for user "kim"`, `password authentication failed for user "`+w+`"`)
	f("host=db-main dbname=shop user=x password=y", `host=`+w+` dbname=`+w+` user=`+w+` password=`+w)
	f("(HOST=ora-prod)(PORT=1521))(CONNECT_DATA=(SERVICE_NAME=orders)(SID=ORCL)(CID=(USER=kim)))",
		`\(HOST=`+w+`\)\(PORT=1521\)\)\(CONNECT_DATA=\(SERVICE_NAME=`+w+`\)\(SID=`+w+`\)\(CID=\(USER=`+w+`\)\)\)`)
	f("Access denied for user 'app'@'web-01' (using password: YES)", `Access denied for user '`+w+`'@'`+w+`' \(using password: YES\)`)
}

func TestAnOrdinaryNameIsNotLearned(t *testing.T) {
	s := mask.NewSession()
	s.Learn(mask.Value{Class: mask.Name, Text: "api"}, mask.Value{Class: mask.Name, Text: "order-api"})
	if got := masked(t, s, "order-api waits for an external API"); strings.Contains(got, "order") || !strings.HasSuffix(got, " waits for an external API") {
		t.Errorf("got %q", got)
	}
}

func TestOrdinaryTextIsLeftAlone(t *testing.T) {
	for _, text := range []string{
		"[SQL Response time >= 8000 ms] occurred 1 times. [2025-06-17 14:03 ~ 2025-06-17 14:13]",
		"java.net.SocketTimeoutException at com.example.shop.OrderService.find(OrderService.java:123)",
		"Step 11 took 8003 ms of 11354 ms (70.5%), between 1500-2000 ms, ratio 14.2x, and/or I/O, SELECT/JOIN",
		"Choose the best from the list, don't update the shop; it's the users' data. 요약 및/또는 분석",
		"## Task\nAnalyze the profiling data (SELECT, INSERT, UPDATE, DELETE) and respond in polite and formal Korean.",
		"WHERE user = ? AND host = a.server AND f(a)=b, GROUP BY (a), (b); the user opened a call/request",
		"std::vector, count:10, 127.0.0.1, localhost:8080, trace 4bf92f3577b34da6a3ce929d0e0e4736",
	} {
		if got := masked(t, mask.NewSession(), text); got != text {
			t.Errorf("Mask changed ordinary text:\n  %q\n  %q", text, got)
		}
	}
}

func TestTheSameValueHasTheSameToken(t *testing.T) {
	s := mask.NewSession()
	s.Learn(mask.Value{Class: mask.Table, Text: "orders"})
	first := masked(t, s, "orders joins jdbc:mysql://db-1.corp:3306/shop")
	second := masked(t, s, "host db-1.corp holds shop.orders")
	token := strings.Fields(first)[0]
	if !strings.Contains(second, token) {
		t.Errorf("orders is %s at first, then %q", token, second)
	}
	host := regexp.MustCompile(`//([a-z0-9]+):`).FindStringSubmatch(first)[1]
	if !strings.HasPrefix(second, "host "+host+" holds") {
		t.Errorf("the host is %s at first, then %q", host, second)
	}
	if other := mask.NewSession(); masked(t, other, "orders at db-1.corp") == masked(t, s, "orders at db-1.corp") {
		t.Error("two conversations must not share tokens")
	}
}

func TestALearnedNameIsMaskedAsAWordOnly(t *testing.T) {
	s := mask.NewSession()
	s.Learn(mask.Value{Class: mask.Table, Text: "user"})
	got := masked(t, s, "user users tb_user user_id `user` \"user\" u.user shop.user user의 userA USER")
	token := strings.Fields(got)[0]
	want := token + " users tb_user user_id `" + token + "` \"" + token + "\" u." + token + " shop." + token + " " + token + "의 userA USER"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTheLongestNameWins(t *testing.T) {
	s := mask.NewSession()
	s.Learn(mask.Value{Class: mask.Host, Text: "db.kakao.com"}, mask.Value{Class: mask.Host, Text: "kakao.com"},
		mask.Value{Class: mask.Name, Text: "kakao"})
	got := masked(t, s, "db.kakao.com kakao.com kakao")
	if f := strings.Fields(got); strings.Contains(got, ".") || f[0] == f[1] || f[1] == f[2] {
		t.Errorf("got %q", got)
	}
}

func TestEverySpellingMapsBackExactly(t *testing.T) {
	s := mask.NewSession()
	s.Learn(mask.Value{Class: mask.Table, Text: "tb_member"})
	got := masked(t, s, "tb_member TB_MEMBER Tb_Member tb_MEMBER tb_member")
	if f := strings.Fields(got); f[0] != f[4] || strings.ToUpper(f[0]) != f[1] || !strings.EqualFold(f[0], f[2]) || strings.EqualFold(f[0], f[3]) {
		t.Errorf("got %q", got)
	}
	if strings.Contains(strings.ToLower(got), "member") {
		t.Errorf("a spelling survived: %q", got)
	}
}

func TestAnAnswerIsMappedBackHoweverTheModelWritesTheToken(t *testing.T) {
	s := mask.NewSession()
	s.Learn(mask.Value{Class: mask.Table, Text: "orders"})
	token := masked(t, s, "orders")
	for form, want := range map[string]string{
		token + "의 인덱스":                 "orders의 인덱스",
		"`" + token + "`":               "`orders`",
		"'" + token + "'":               "'orders'",
		strings.ToUpper(token) + "을":    "orders을",
		"the " + token + "_pkey index":  "the orders_pkey index",
		token + "s":                     "orderss",
		"(" + token + "," + token + ")": "(orders,orders)",
	} {
		if got := s.Unmask(form); got != want {
			t.Errorf("Unmask(%q) = %q, want %q", form, got, want)
		}
	}
}

func TestAnOriginalWithAQuoteDoesNotBreakAJSONAnswer(t *testing.T) {
	s := mask.NewSession()
	s.Learn(mask.Value{Class: mask.Literal, Text: `say "hi"\now`})
	token := masked(t, s, `say "hi"\now`)
	if got := s.UnmaskJSON(`{"text":"` + token + `"}`); got != `{"text":"say \"hi\"\\now"}` {
		t.Errorf("got %s", got)
	}
}

func TestMaskingAMaskedTextChangesNothing(t *testing.T) {
	s := mask.NewSession()
	text := "SELECT * FROM shop.users WHERE mail='kim@kakao.com' AND ip='10.1.2.3' /* https://a.kakao.com/x/y?z=1 */; jdbc:mysql://db-1:3306/shop; 010-1234-5678; GET /v1/x"
	once := masked(t, s, text)
	twice, err := s.Mask(once)
	if err != nil || twice != once {
		t.Errorf("err %v\nonce  %q\ntwice %q", err, once, twice)
	}
}

func TestASchemeThatIsAlsoADatabaseNameIsMaskedToo(t *testing.T) {
	s := mask.NewSession()
	s.Learn(mask.Value{Class: mask.Database, Text: "mysql"})
	if got := masked(t, s, "jdbc:mysql://db-1.corp:3306/mysql"); strings.Contains(got, "mysql") {
		t.Errorf("got %q", got)
	}
}

func TestATextOverTheLimitIsRefused(t *testing.T) {
	s := mask.NewSession(mask.WithLimit(10))
	if out, err := s.Mask("12345678901"); !fault.Is(err, fault.TooLarge) || out != "" {
		t.Errorf("out %q, err %v", out, err)
	}
}

type exhausted struct{}

func (exhausted) Read([]byte) (int, error) { return 0, fault.New(fault.Internal, "no entropy") }

type constant struct{}

func (constant) Read(b []byte) (int, error) { return len(b), nil }

func TestMaskingFailsClosed(t *testing.T) {
	for name, s := range map[string]*mask.Session{
		"no randomness":       mask.NewSession(mask.WithRandom(exhausted{})),
		"tokens that collide": mask.NewSession(mask.WithRandom(constant{})),
	} {
		out, err := s.Mask("hosts a.kakao.com and b.kakao.com")
		if err == nil || out != "" {
			t.Errorf("%s: out %q, err %v; nothing may come out", name, out, err)
		}
	}
}

func TestTheSummaryCountsWhatWasReplaced(t *testing.T) {
	s := mask.NewSession()
	s.Learn(mask.Value{Class: mask.Table, Text: "never_seen"})
	masked(t, s, "SELECT 1 FROM aa_one JOIN bb_two ON x WHERE host = 'h.kakao.com'")
	counts := map[mask.Class]int{}
	for _, c := range s.Summary() {
		counts[c.Class] = c.Count
	}
	if counts[mask.Table] != 2 || counts[mask.Host] != 1 || len(s.Tokens()) != 3 {
		t.Errorf("summary %v, tokens %v", s.Summary(), s.Tokens())
	}
}

func TestAStreamedAnswerEqualsTheWholeOne(t *testing.T) {
	s := mask.NewSession()
	out := masked(t, s, "SELECT * FROM users JOIN orders USING (id) at 10.1.2.3, kim@kakao.com, jdbc:mysql://db-1:3306/shop")
	for size := 1; size < 12; size++ {
		u, got := s.Unmasker(), ""
		for rest := out; rest != ""; {
			n := min(size, len(rest))
			got += u.Write(rest[:n])
			rest = rest[n:]
		}
		if got += u.Flush(); got != s.Unmask(out) {
			t.Fatalf("pieces of %d: %q", size, got)
		}
	}
}

func TestASingleLetterOfAMessageStays(t *testing.T) {
	for _, text := range []string{
		"the answer is not JSON: invalid character 'V' looking for beginning of value",
		"unexpected token 'V' at position 0",
		"invalid character in name 'V'",
		"user 'V' is unknown",
		"Duplicate entry 'A' for key 'PRIMARY'",
		`invalid input syntax for type integer: "x"`,
		"user: \"V\", role \"w\"",
	} {
		s := mask.NewSession()
		s.Learn(mask.Value{Class: mask.Name, Text: "V"})
		if got := masked(t, s, text); got != text {
			t.Errorf("Mask(%q) = %q", text, got)
		}
		if err := s.Gate([]byte(text)); err != nil {
			t.Errorf("Gate(%q) = %v", text, err)
		}
	}
	s := mask.NewSession() // where it is known to be a value it is masked, there and nowhere else
	doc, err := s.MaskJSON([]byte(`{"user":"V","error":"invalid character 'V'"}`), mask.Fields{"user": mask.Name})
	if err != nil || strings.Contains(string(doc), `"user":"V"`) || !strings.Contains(string(doc), "invalid character 'V'") {
		t.Errorf("%s, %v", doc, err)
	}
	if got := masked(t, s, "user 'Kim' has the password=V"); strings.Contains(got, "Kim") || strings.Contains(got, "=V") {
		t.Error(got)
	}
}
