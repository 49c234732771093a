package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/matrix-aiops/matrix/internal/mask"
)

// fields are the types of the fields of the structured documents of the corpus.
var fields = mask.Fields{"id": mask.Plain, "kind": mask.Plain, "unit": mask.Plain, "elapsed_ms": mask.Plain, "status": mask.Plain, "at": mask.Plain,
	"table": mask.Table, "column": mask.Column, "database": mask.Database, "schema": mask.Database, "address": mask.Host, "host": mask.Host, "ip": mask.IP, "pod": mask.Pod,
	"url": mask.URL, "jdbc": mask.JDBCURL, "path": mask.Path, "literal": mask.Literal, "email": mask.Email, "phone": mask.Phone, "rrn": mask.Resident, "card": mask.Card,
	"biz": mask.Business, "account": mask.Account, "secret": mask.Secret, "cookie": mask.Cookie, "person": mask.Person, "service": mask.Name, "user": mask.Name}

// quote writes a string of JSON as most programs do, with & as it is.
func quote(value string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // strings always encode
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// document makes one structured fact: typed fields, and a text that names some of them.
func document(d drawer) (string, []Span) {
	type field struct {
		name  string
		class mask.Class
		value string
	}
	all := []field{
		{"table", mask.Table, d.pick(d.table(), d.korean()+" 원장", "order")}, {"column", mask.Column, d.pick(d.column(), "grade")}, {"database", mask.Database, d.database()},
		{"schema", mask.Database, d.name()}, {"address", mask.Host, d.pick(d.host(), d.bare(), d.name())}, {"ip", mask.IP, d.pick(d.ip(), d.ipv6())}, {"pod", mask.Pod, d.pick(d.pod(), d.name()+"-blue")},
		{"url", mask.URL, d.url()}, {"jdbc", mask.JDBCURL, d.jdbc()}, {"path", mask.Path, d.pick("/v1/"+d.name()+"s/"+d.digits(4), "/home/jroe/"+d.name()+".log")},
		{"literal", mask.Literal, d.pick(d.korean(), d.address(), "it's \"quoted\" "+d.name(), d.digits(7))}, {"email", mask.Email, d.email()}, {"phone", mask.Phone, d.phone()},
		{"rrn", mask.Resident, d.resident()}, {"card", mask.Card, d.card()}, {"biz", mask.Business, d.business()}, {"account", mask.Account, d.account()},
		{"secret", mask.Secret, d.pick(d.password(), d.token(), "correct horse battery")}, {"cookie", mask.Cookie, d.chars(alnum, 20)}, {"person", mask.Person, d.pick(d.korean(), "Jane Roe")},
		{"service", mask.Name, d.name() + "-" + d.pick("api", "batch", "front")}, {"user", mask.Name, d.name() + "_app"},
	}
	d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var spans []Span
	text := fmt.Sprintf(`{"id":"E%d","kind":%q,"elapsed_ms":%d`, d.IntN(30)+1, d.pick("statement", "call", "exception", "wait"), d.IntN(30000))
	for _, f := range all[:d.IntN(4)+2] {
		quoted := quote(f.value)
		text += fmt.Sprintf(",%q:", f.name)
		spans = append(spans, Span{len(text) + 1, len(text) + len(quoted) - 1, f.class})
		text += quoted
	}
	return text + fmt.Sprintf(`,"status":%q,"unit":"ms"}`, d.pick("ok", "error")), spans
}
