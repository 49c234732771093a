package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/matrix-aiops/matrix/internal/mask"
)

// drawer makes the values templates are filled with. What it makes is invented: no host, person,
// number or key of it is in use, but for the forms they have.
type drawer struct{ *rand.Rand }

func (d drawer) pick(words ...string) string { return words[d.IntN(len(words))] }

func (d drawer) of(words string) string { return d.pick(strings.Fields(words)...) }

func (d drawer) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + d.IntN(10))
	}
	return string(b)
}

func (d drawer) chars(set string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = set[d.IntN(len(set))]
	}
	return string(b)
}

const (
	hexChars = "0123456789abcdef"
	small    = "abcdefghijklmnopqrstuvwxyz"
	alnum    = small + "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

func (d drawer) name() string {
	return d.of(`order pay member point coupon cart stock ship refund review claim batch ledger partner seller ticket billing settle reward notice search`)
}

func (d drawer) house() string {
	return d.of(`kakao moim haneul dalbit nuri onnuri baram sotong gaon saebyeok acme globex initrode umbra`)
}

func (d drawer) table() string {
	prefix := d.pick("tb_", "t_", "", "TB_", "tbl_", "mst_")
	t := prefix + d.name() + d.pick("_hist", "_detail", "_mst", "_log", "_item", "s", "_2024", "_snapshot")
	if prefix == "TB_" {
		return strings.ToUpper(t)
	}
	return t
}

func (d drawer) column() string {
	return d.name() + d.pick("_no", "_amt", "_nm", "_cd", "_yn", "_dtm", "_grade", "_addr", "_point", "_ref")
}

func (d drawer) database() string { return d.name() + d.pick("_db", "db", "_prod", "_dw", "_oltp") }

func (d drawer) host() string {
	switch d.IntN(5) {
	case 0:
		return fmt.Sprintf("%s-%s%02d.%s.%s", d.name(), d.pick("db", "was", "web", "api", "redis"), d.IntN(20), d.house(), d.pick("com", "co.kr", "internal", "local", "net"))
	case 1:
		return fmt.Sprintf("%s.%s.svc.cluster.local", d.name(), d.of("prod stage payments platform"))
	case 2:
		return fmt.Sprintf("%s-%s.%s.ap-northeast-2.rds.amazonaws.com", d.name(), d.pick("prod", "stg"), d.chars(small+"0123456789", 12))
	case 3:
		return fmt.Sprintf("%s.%s.io", d.pick("api", "pay", "auth", "gw"), d.house())
	}
	return fmt.Sprintf("%s%d-%s.%s.corp", d.name(), d.IntN(9)+1, d.pick("vm", "node", "phy"), d.house())
}

func (d drawer) bare() string {
	return d.name() + "-" + d.pick("db", "cache", "mq", "was") + d.pick("01", "02", "-a", "-prod")
}

func (d drawer) ip() string {
	return fmt.Sprintf("%s.%d.%d", d.pick("10.20", "172.16", "192.168", "203.0", "121.53", "211.45"), d.IntN(250)+1, d.IntN(250)+1)
}

func (d drawer) ipv6() string {
	group := func() string { return d.chars(hexChars[1:], 4) }
	return d.pick("fe80::"+group()+":"+group(), "2404:6800:4004:"+group()+"::"+group(), "fd12:3456:789a::"+group(),
		"2001:2d8:"+group()+":"+group()+":"+group()+":"+group()+":"+group()+":"+group())
}

func (d drawer) pod() string {
	const safe = "bcdfghjklmnpqrstvwxz2456789"
	base := d.name() + "-" + d.pick("api", "worker", "web", "consumer")
	if d.IntN(4) == 0 {
		return d.pick("kafka", "mysql", "redis", d.name()+"-db", d.name()+"-cache") + "-" + fmt.Sprint(d.IntN(5))
	}
	return base + "-" + d.chars("bcdf2456789", 8) + d.chars("456", 1) + "-" + d.chars(safe, 4) + d.chars("2456789", 1)
}

func (d drawer) jdbc() string {
	switch d.IntN(5) {
	case 0:
		return fmt.Sprintf("jdbc:mysql://%s:3306/%s?useSSL=false&characterEncoding=UTF-8", d.host(), d.database())
	case 1:
		return fmt.Sprintf("jdbc:postgresql://%s:5432/%s?user=%s&password=%s", d.ip(), d.database(), d.name(), d.chars(alnum, 10))
	case 2:
		return fmt.Sprintf("jdbc:oracle:thin:@%s:1521:%s", d.host(), strings.ToUpper(d.name()))
	case 3:
		return fmt.Sprintf("jdbc:oracle:thin:@//%s:1521/%s", d.bare(), d.database())
	}
	return fmt.Sprintf("jdbc:sqlserver://%s:1433;databaseName=%s;encrypt=true", d.bare(), d.database())
}

func (d drawer) url() string {
	path := "/" + d.pick("v1", "v2", "api") + "/" + d.name() + "s/" + d.digits(d.IntN(6)+2)
	switch d.IntN(4) {
	case 0:
		return "https://" + d.host() + path + "?" + d.pick("token", "q", "memberNo", "email") + "=" + d.chars(alnum, 8)
	case 1:
		return "http://" + d.ip() + ":8080" + path
	case 2:
		return fmt.Sprintf("%s://%s:%s@%s/%s", d.pick("postgres", "mysql", "mongodb+srv", "amqp", "redis"), d.name(), d.chars(alnum, 12), d.host(), d.database())
	}
	return "https://" + d.host() + path
}

func (d drawer) email() string {
	return d.pick(d.name()+"."+d.house(), "chulsoo.kim", "lee_yh", "p.minji+shop", "h.song") + d.pick("", d.digits(2)) + "@" + d.pick(d.house()+".com", d.house()+".co.kr", "mail."+d.house()+".io")
}

func (d drawer) phone() string {
	switch d.IntN(7) {
	case 0:
		return "010" + d.digits(8)
	case 1:
		return "010 " + d.chars("23456789", 1) + d.digits(3) + " " + d.digits(4)
	case 2:
		return d.pick("02", "031", "051", "070") + "-" + d.chars("23456789", 1) + d.digits(3) + "-" + d.digits(4)
	case 3:
		return "+82 10-" + d.chars("23456789", 1) + d.digits(3) + "-" + d.digits(4)
	case 4:
		return "+1 " + d.pick("415", "212", "650") + "-555-0" + d.digits(3)
	case 5:
		return "+44 20 7946 0" + d.digits(3)
	}
	return "010-" + d.chars("23456789", 1) + d.digits(3) + "-" + d.digits(4)
}

func (d drawer) resident() string {
	return fmt.Sprintf("%02d%02d%02d%s%d%s", d.IntN(100), d.IntN(12)+1, d.IntN(28)+1, d.pick("-", "-", "-", ""), d.IntN(4)+1, d.digits(6))
}

func (d drawer) card() string {
	number := d.pick("4", "51", "52", "94", "62", "35")
	number += d.digits(15 - len(number))
	sum := 0
	for i := range number {
		n := int(number[len(number)-1-i] - '0')
		if i%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	number += string(byte('0' + (10-sum%10)%10))
	switch d.IntN(3) {
	case 0:
		return number
	case 1:
		return number[:4] + " " + number[4:8] + " " + number[8:12] + " " + number[12:]
	}
	return number[:4] + "-" + number[4:8] + "-" + number[8:12] + "-" + number[12:]
}

func (d drawer) business() string {
	digits := d.pick("1", "2", "4", "6") + d.digits(8)
	sum := 0
	for i, w := range [...]int{1, 3, 7, 1, 3, 7, 1, 3, 5} {
		sum += int(digits[i]-'0') * w
	}
	sum += int(digits[8]-'0') * 5 / 10
	digits += string(byte('0' + (10-sum%10)%10))
	return digits[:3] + "-" + digits[3:5] + "-" + digits[5:]
}

func (d drawer) account() string {
	return d.pick(d.digits(6)+"-"+d.digits(2)+"-"+d.digits(6), d.digits(3)+"-"+d.digits(6)+"-"+d.digits(5), "3333-"+d.digits(2)+"-"+d.digits(7), d.digits(4)+d.digits(8))
}

func (d drawer) korean() string {
	return d.of(`김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권`) + d.of(`민준 서연 도윤 지우 하준 수빈 예은 철수 영희 현우 지민 은지 태현 소영`)
}

func (d drawer) address() string {
	return d.pick("서울특별시 강남구 테헤란로 ", "경기도 성남시 분당구 판교역로 ", "부산시 해운대구 센텀로 ") + fmt.Sprint(d.IntN(300)+1)
}

func (d drawer) password() string {
	return d.pick(d.name()+d.digits(4)+"!", d.chars(alnum, 12), d.chars(alnum+"!@#%^*", 10)+"Z9", "S3cr3t"+d.digits(2), "hunter"+d.digits(2), "P@ss"+d.chars(alnum, 6))
}

func (d drawer) token() string {
	switch d.IntN(9) {
	case 0:
		return "ghp_" + d.chars(alnum, 36)
	case 1:
		return "AKIA" + d.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)
	case 2:
		return "xoxb-" + d.digits(12) + "-" + d.digits(12) + "-" + d.chars(alnum, 24)
	case 3:
		return "glpat-" + d.chars(alnum, 20)
	case 4:
		return "sk-proj-" + d.chars(alnum, 28) + "7"
	case 5:
		return "AIza" + d.chars(alnum, 35)
	case 6:
		return "sk_" + "live_" + d.chars(alnum, 24)
	case 7:
		return "npm_" + d.chars(alnum, 36)
	}
	return d.jwt()
}

func (d drawer) jwt() string {
	return "eyJ" + d.chars(alnum, 33) + ".eyJ" + d.chars(alnum, 60) + "." + d.chars(alnum+"-_", 42) + "Q"
}

func (d drawer) privateKey() string {
	kind := d.pick("RSA ", "EC ", "", "OPENSSH ")
	line := func() string { return d.chars(alnum+"+/", 64) }
	sep := d.pick("\n", "\n", `\n`)
	return "-----BEGIN " + kind + "PRIVATE KEY-----" + sep + line() + sep + line() + sep + d.chars(alnum, 40) + "==" + sep + "-----END " + kind + "PRIVATE KEY-----"
}

func (d drawer) uuid() string {
	return d.chars(hexChars, 8) + "-" + d.chars(hexChars, 4) + "-4" + d.chars(hexChars, 3) + "-a" + d.chars(hexChars, 3) + "-" + d.chars(hexChars, 12)
}

func (d drawer) timestamp() string {
	date := fmt.Sprintf("2026-%02d-%02d", d.IntN(12)+1, d.IntN(28)+1)
	clock := fmt.Sprintf("%02d:%02d:%02d", d.IntN(24), d.IntN(60), d.IntN(60))
	return d.pick(date+"T"+clock+"."+d.digits(3)+"Z", date+" "+clock+","+d.digits(3), date+" "+clock, date+"T"+clock+"+09:00")
}

// sensitive says what a placeholder makes and of which class it is; class "" is harmless.
type sensitive struct {
	class mask.Class
	draw  func(drawer) string
}

var placeholders = map[string]sensitive{
	"table": {mask.Table, drawer.table}, "column": {mask.Column, drawer.column}, "db": {mask.Database, drawer.database},
	"host": {mask.Host, drawer.host}, "bare": {mask.Host, drawer.bare}, "ip": {mask.IP, drawer.ip}, "ipv6": {mask.IP, drawer.ipv6}, "pod": {mask.Pod, drawer.pod},
	"jdbc": {mask.JDBCURL, drawer.jdbc}, "url": {mask.URL, drawer.url}, "email": {mask.Email, drawer.email}, "phone": {mask.Phone, drawer.phone},
	"rrn": {mask.Resident, drawer.resident}, "card": {mask.Card, drawer.card}, "biz": {mask.Business, drawer.business}, "account": {mask.Account, drawer.account},
	"password": {mask.Secret, drawer.password}, "token": {mask.Secret, drawer.token}, "jwt": {mask.Secret, drawer.jwt}, "pem": {mask.Secret, drawer.privateKey},
	"opaque": {mask.Secret, func(d drawer) string { return d.chars(alnum, d.IntN(20)+20) + "7f" }},
	"basic":  {mask.Secret, func(d drawer) string { return d.chars(alnum, 22) + "==" }},
	"cookie": {mask.Cookie, func(d drawer) string { return d.chars(alnum, d.IntN(20)+10) }},
	"literal": {mask.Literal, func(d drawer) string {
		return d.pick(d.korean(), d.address(), d.name()+"-"+d.digits(6), d.email(), d.of("GOLD VIP_2 seoul-east prem-77"))
	}},
	"longno": {mask.Literal, func(d drawer) string { return d.chars("123456789", 1) + d.digits(d.IntN(4)+7) }},
	"user":   {mask.Name, func(d drawer) string { return d.name() + "_" + d.pick("app", "ro", "svc", "admin") }},
	"path": {mask.Path, func(d drawer) string {
		return "/" + d.pick("v1", "api", "internal") + "/" + d.name() + "s/" + d.digits(5)
	}},
	"homepath": {mask.Path, func(d drawer) string {
		return d.pick("/home/", "/Users/") + d.of("kimcs minji.lee jroe dev01") + "/" + d.name() + "/" + d.pick("app.log", "Main.java", "config.yml")
	}},
	"winpath": {mask.Path, func(d drawer) string {
		return `C:\Users\` + d.of("kimcs minji jroe dev01") + `\` + d.name() + `\` + d.pick("app.log", "error.txt")
	}},
	"n":      {"", func(d drawer) string { return fmt.Sprint(d.IntN(9000) + 1) }},
	"big":    {"", func(d drawer) string { return fmt.Sprint(d.IntN(90000000) + 10000000) }},
	"pct":    {"", func(d drawer) string { return fmt.Sprintf("%d.%d", d.IntN(100), d.IntN(10)) }},
	"dur":    {"", func(d drawer) string { return fmt.Sprint(d.IntN(30000)) + d.pick("ms", " ms", "us", "s", "ns") }},
	"uuid":   {"", drawer.uuid},
	"hex32":  {"", func(d drawer) string { return d.chars(hexChars, 32) }},
	"hex16":  {"", func(d drawer) string { return d.chars(hexChars, 16) }},
	"sha":    {"", func(d drawer) string { return d.chars(hexChars, 40) }},
	"short":  {"", func(d drawer) string { return d.chars(hexChars, 7) }},
	"digest": {"", func(d drawer) string { return d.chars(hexChars, 64) }},
	"ts":     {"", drawer.timestamp},
	"epoch":  {"", func(d drawer) string { return "17" + d.pick("64", "65", "71", "80") + d.digits(9) }},
	"ver": {"", func(d drawer) string {
		return fmt.Sprintf("%d.%d.%d", d.IntN(20), d.IntN(30), d.IntN(40)) + d.pick("", ".Final", "-SNAPSHOT", "-rc.1", "")
	}},
	"ver4": {"", func(d drawer) string {
		return fmt.Sprintf("%d.%d.%d.%d", d.IntN(20)+1, d.IntN(30), d.IntN(40), d.IntN(9))
	}},
	"class": {"", func(d drawer) string {
		n := d.name()
		return "com.example." + d.name() + "." + strings.ToUpper(n[:1]) + n[1:] + d.pick("Service", "Repository", "Controller", "Client")
	}},
	"method": {"", func(d drawer) string {
		return d.pick("find", "save", "handle", "doExecute", "lambda$run$0", "invoke", "<init>")
	}},
	"source": {"", func(d drawer) string {
		n := d.name()
		return strings.ToUpper(n[:1]) + n[1:] + d.pick("Service.java:", "Client.kt:", "Dao.java:") + fmt.Sprint(d.IntN(900)+1)
	}},
	"exception": {"", func(d drawer) string {
		return d.of("java.sql.SQLException java.net.SocketTimeoutException org.springframework.dao.DataIntegrityViolationException java.lang.IllegalStateException io.netty.channel.ConnectTimeoutException java.util.concurrent.TimeoutException")
	}},
	"thread": {"", func(d drawer) string {
		return d.pick("http-nio-8080-exec-", "pool-2-thread-", "kafka-consumer-worker-", "HikariPool-1 housekeeper-", "scheduling-", "ForkJoinPool-1-worker-", "reactor-http-epoll-") + fmt.Sprint(d.IntN(20))
	}},
	"metric": {"", func(d drawer) string {
		return d.of("http.server.request.duration jvm.memory.used db.client.connections.usage process.cpu.utilization system.network.io kafka.consumer.records.lag hikaricp_connections_active http_server_requests_seconds_count go_gc_duration_seconds")
	}},
	"level":  {"", func(d drawer) string { return d.of("INFO WARN ERROR DEBUG") }},
	"status": {"", func(d drawer) string { return d.of("200 404 409 500 502 503 504") }},
	"verb":   {"", func(d drawer) string { return d.of("GET POST PUT DELETE PATCH") }},
	"word": {"", func(d drawer) string {
		return d.of("slow pending failed queued retried cold warm stale partial skipped")
	}},
	"region":  {"", func(d drawer) string { return d.of("ap-northeast-2 us-east-1 eu-west-3 ap-southeast-1") }},
	"datelit": {mask.Literal, func(d drawer) string { return fmt.Sprintf("20%02d-%02d-%02d", d.IntN(27), d.IntN(12)+1, d.IntN(28)+1) }},
	"date":    {"", func(d drawer) string { return fmt.Sprintf("20%02d-%02d-%02d", d.IntN(27), d.IntN(12)+1, d.IntN(28)+1) }},
}
