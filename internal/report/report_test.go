package report_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/report"
)

var update = flag.Bool("update", false, "write the golden files")

func seedCase(t testing.TB) *ground.Bundle {
	t.Helper()
	var b ground.Bundle
	if err := json.Unmarshal(read(t, "seed.bundle.json"), &b); err != nil {
		t.Fatal(err)
	}
	return &b
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// wellFormed is the format people and their parsers rely on, read strictly.
var wellFormed = map[string]*regexp.Regexp{
	"ko": regexp.MustCompile(`\A\[요약\]\n[^\n]+\n\n\[트랜잭션\]\n(?:- [^\n]+\n){1,6}\n\[프로파일 분석\]\n1\. [^\n]+\n(?:2\. [^\n]+\n(?:3\. [^\n]+\n)?)?\n\[조치 방안\]\n1\. [^\n]+(?:\n2\. [^\n]+(?:\n3\. [^\n]+)?)?(?:\n\n※ [^\n]+)?(?:\n\n상세 보기: http[^\n]+)?\z`),
	"en": regexp.MustCompile(`\A\[Summary\]\n[^\n]+\n\n\[Transaction\]\n(?:- [^\n]+\n){1,6}\n\[Profile analysis\]\n1\. [^\n]+\n(?:2\. [^\n]+\n(?:3\. [^\n]+\n)?)?\n\[Actions\]\n1\. [^\n]+(?:\n2\. [^\n]+(?:\n3\. [^\n]+)?)?(?:\n\nNote: [^\n]+)?(?:\n\nDetails: http[^\n]+)?\z`),
}

func mustBeWellFormed(t testing.TB, r *report.Report) {
	t.Helper()
	text := r.Text("https://matrix.example/incidents/1")
	if !wellFormed[r.Language].MatchString(text) || !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError) {
		t.Fatalf("the report is not well formed:\n%s", text)
	}
	for _, h := range []string{"[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]", "[Summary]", "[Transaction]", "[Profile analysis]", "[Actions]"} {
		if strings.Count(norm.NFKC.String(text), h) > 1 {
			t.Fatalf("the heading %s stands twice:\n%s", h, text)
		}
	}
}

func TestTheSeedsReportInBothLanguagesWithAndWithoutAModel(t *testing.T) {
	b := seedCase(t)
	for _, lang := range []string{"ko", "en"} {
		byModel, err := report.Parse(string(read(t, "seed.answer."+lang+".json")), b, lang)
		if err != nil {
			t.Fatalf("%s: %v", lang, err)
		}
		for name, r := range map[string]*report.Report{"model": byModel, "rules": report.Deterministic(b, lang, report.NoModel)} {
			mustBeWellFormed(t, r)
			golden := filepath.Join("testdata", "seed."+name+"."+lang+".txt")
			text := r.Text("https://matrix.example/incidents/1") + "\n"
			if *update {
				if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(read(t, filepath.Base(golden))); text != want {
				t.Errorf("%s:\n%s\nwant\n%s", golden, text, want)
			}
		}
	}
}

func TestTheReportOfTheRulesStatesOnlyTheEvidence(t *testing.T) {
	b := seedCase(t)
	for _, lang := range []string{"ko", "en"} {
		r := report.Deterministic(b, lang, report.ModelFailed)
		for _, p := range append(append(append([]report.Point{r.Summary}, r.Transaction...), r.Analysis...), r.Actions...) {
			if found := ground.Check(p.Text, b); len(found) > 0 {
				t.Errorf("%q: %v", p.Text, found)
			}
			if len(p.Evidence) == 0 {
				t.Errorf("%q cites nothing", p.Text)
			}
		}
		if !strings.Contains(r.Text(""), r.Label()) || r.Label() == "" || r.Source != report.ByRules {
			t.Errorf("the report is not labelled: %q", r.Text(""))
		}
	}
}

func TestEveryKindOfFactHasItsSentenceAndItsAction(t *testing.T) {
	fact := func(kind string, step int, values ...string) ground.Fact {
		f := ground.Fact{ID: "E2", Kind: kind, Step: step, Text: strings.Join(values, " ")}
		for i := 0; i+1 < len(values); i += 2 {
			f.Values = append(f.Values, ground.Value{Name: values[i], Value: values[i+1], Unit: map[string]string{
				"elapsed": "ms", "total": "ms", "now": "ms", "usual": "ms", "ratio": "ratio", "share": "percent"}[values[i]]})
		}
		return f
	}
	for want, f := range map[string]ground.Fact{
		"인덱스 3의 동일한 SQL 쿼리 (SELECT, 테이블: orders)가 한 트랜잭션에서 52회 실행되어 모두 3200ms가 소요되었습니다.":         fact(ground.Statement, 3, "operation", "SELECT", "table", "orders", "calls", "52", "total", "3200", "elapsed", "90"),
		"해당 UPDATE 문의 잠금 대기 여부와 조건 컬럼의 인덱스를 확인해 주세요. (대상 테이블: orders)":                           fact(ground.Statement, 3, "operation", "UPDATE", "table", "orders", "elapsed", "900"),
		"인덱스 4의 외부 호출 (POST https://pay.example.com/v1)에서 7001ms가 소요되어 전체 응답시간의 90%를 차지하고 있습니다.": fact(ground.Call, 4, "method", "POST", "url", "https://pay.example.com/v1", "elapsed", "7001", "share", "90"),
		"DB 커넥션 풀의 크기와 반환되지 않는 커넥션, 장시간 점유하는 쿼리를 확인해 주세요.":                                       fact(ground.Wait, 2, "what", "connection", "elapsed", "5000"),
		"인덱스 9에서 예외가 발생하였습니다: java.lang.IllegalStateException: (요약) boom":                        fact(ground.Exception, 9, "type", "java.lang.IllegalStateException", "message", "[요약]\nboom"),
		"동일 트랜잭션의 평소(24시간 전) 응답시간 812ms에 비해 현재 11354ms로, 14.0배입니다.":                              fact(ground.Comparison, 0, "metric", "elapsed", "now", "11354", "usual", "812", "ratio", "14.0", "when", "24h"),
		"인덱스 5의 OrderService.find 처리에서 80ms가 소요되어 전체 응답시간에 영향을 주고 있습니다.":                         fact(ground.Step, 5, "name", "OrderService.find", "elapsed", "80"),
	} {
		b := &ground.Bundle{Title: "x", Facts: []ground.Fact{{ID: "E1", Kind: ground.Alarm, Text: "alarm"}, f}}
		r := report.Deterministic(b, "ko", "")
		mustBeWellFormed(t, r)
		if !strings.Contains(r.Text(""), want) {
			t.Errorf("missing %q in\n%s", want, r.Text(""))
		}
		mustBeWellFormed(t, report.Deterministic(b, "en", ""))
	}
}

func TestAStatementWithoutANameIsCalledByItsText(t *testing.T) {
	bundle := &ground.Bundle{Title: "SQL response time", Facts: []ground.Fact{{ID: "E1", Kind: ground.Statement, Step: 7, Values: []ground.Value{
		{Name: "step", Value: "7", Unit: "count"}, {Name: "sql", Value: "SELECT pg_sleep(?)"}, {Name: "elapsed", Value: "9005", Unit: "ms"},
	}}}}
	for _, lang := range []string{report.Korean, report.English} {
		if text := report.Deterministic(bundle, lang, report.NoModel).Text(""); !strings.Contains(text, "(SELECT pg_sleep(?))") {
			t.Errorf("the statement is not named in:\n%s", text)
		}
	}
}

func TestATransactionWithoutARouteIsCalledByItsURL(t *testing.T) {
	f := func(want string, values ...ground.Value) {
		t.Helper()
		bundle := &ground.Bundle{Title: "SQL response time", Facts: []ground.Fact{{ID: "E1", Kind: ground.Transaction, Values: values}}}
		for _, lang := range []string{report.Korean, report.English} {
			if text := report.Deterministic(bundle, lang, report.NoModel).Text(""); !strings.Contains(text, "\n- "+want+"\n") {
				t.Errorf("no %q in:\n%s", want, text)
			}
		}
	}
	// A raw HTTP server of Node.js calls its spans by the method alone.
	f("URL: http://shop.example.com/orders<GET>", ground.Value{Name: "endpoint", Value: "GET"},
		ground.Value{Name: "url", Value: "http://shop.example.com/orders"}, ground.Value{Name: "method", Value: "GET"}, ground.Value{Name: "elapsed", Value: "9", Unit: "ms"})
	f("URL: /orders/{id}<GET>", ground.Value{Name: "endpoint", Value: "GET /orders/{id}"},
		ground.Value{Name: "url", Value: "/orders/7"}, ground.Value{Name: "method", Value: "GET"}, ground.Value{Name: "elapsed", Value: "9", Unit: "ms"})
}

func TestAReportIsWrittenEvenFromNoEvidence(t *testing.T) {
	for _, lang := range []string{"ko", "en", ""} {
		mustBeWellFormed(t, report.Deterministic(&ground.Bundle{}, lang, ""))
	}
}

// answer builds a valid answer and lets change it.
func answer(change func(m map[string]any)) string {
	point := func(text string, ids ...any) map[string]any { return map[string]any{"text": text, "evidence": ids} }
	m := map[string]any{
		"summary":     point("응답시간은 11354ms입니다.", "E2"),
		"transaction": []any{point("URL: /v1/api/test<GET>", "E2")},
		"analysis":    []any{point("인덱스 11의 쿼리에서 8003ms가 소요되었습니다.", "E3")},
		"actions":     []any{point("실행 계획을 확인해 주세요.", "E3")},
	}
	change(m)
	data, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func TestAnAnswerMayStandInAFenceOrInProse(t *testing.T) {
	valid := answer(func(map[string]any) {})
	for _, text := range []string{valid, "```json\n" + valid + "\n```", "Here it is:\n\n```\n" + valid + "\n```\nRegards", "물론입니다. " + valid + " 이상입니다.", "\ufeff" + valid} {
		if _, err := report.Parse(text, seedCase(t), "ko"); err != nil {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func TestAnAnswerThatIsWrongIsRefusedWithAReasonAModelCanActOn(t *testing.T) {
	set := func(section, text string, ids ...any) string {
		return answer(func(m map[string]any) {
			p := map[string]any{"text": text, "evidence": append([]any{}, ids...)}
			if section == "summary" {
				m[section] = p
			} else {
				m[section] = []any{p}
			}
		})
	}
	valid := answer(func(map[string]any) {})
	f := func(text, lang, want string) {
		t.Helper()
		_, err := report.Parse(text, seedCase(t), lang)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: error %v, want %q", text, err, want)
		}
	}
	f("", "ko", "no JSON object")
	f("죄송하지만 답변할 수 없습니다.", "ko", "no JSON object")
	f(valid[:len(valid)/2]+"}", "ko", "not valid JSON")
	f(valid+valid, "ko", "more than one")
	f(strings.Replace(valid, `"summary":`, `"summary":{"text":"a","evidence":["E1"]},"summary":`, 1), "ko", "stands twice")
	f(`{"summary":NaN}`, "ko", "not valid JSON")
	f(answer(func(m map[string]any) { delete(m, "actions") }), "ko", "actions")
	f(answer(func(m map[string]any) { m["extra"] = 1 }), "ko", "extra")
	f(answer(func(m map[string]any) { m["summary"] = "text" }), "ko", "summary")
	f(answer(func(m map[string]any) { m["analysis"] = []any{} }), "ko", "analysis")
	f(answer(func(m map[string]any) {
		p := m["actions"].([]any)[0]
		m["actions"] = []any{p, p, p, p}
	}), "ko", "actions")
	f(set("summary", "요약입니다.", "E99"), "ko", "summary: cites the fact E99")
	f(set("summary", "요약입니다 [E98].", "E1"), "ko", "cites the fact E98")
	f(set("summary", "E97에 따르면 느립니다.", "E1"), "ko", "cites the fact E97")
	f(set("summary", "요약입니다.", "e1"), "ko", "pattern")
	f(set("summary", "요약입니다."), "ko", "minItems")
	f(set("analysis", "9000ms가 소요되었습니다.", "E3"), "ko", `analysis[0]: the number "9000ms" is not in the evidence`)
	f(set("analysis", "orders_archive 테이블이 원인입니다.", "E3"), "ko", `"orders_archive" is not in the evidence`)
	f(set("actions", "https://evil.example.com/fix 를 실행해 주세요.", "E3"), "ko", `the address "https://evil.example.com/fix"`)
	f(set("summary", "[조치 방안] 없음", "E1"), "ko", "section heading")
	f(set("summary", "［조치 방안］ 없음", "E1"), "ko", "section heading")
	f(set("summary", "［ＡＣＴＩＯＮＳ］ 없음", "E1"), "ko", "section heading")
	f(set("summary", " \u200b\n", "E1"), "ko", "no text")
	f(set("summary", strings.Repeat("가", 601), "E1"), "ko", "longer than 600")
	f(set("summary", "The response took 11354 ms in total here.", "E1"), "ko", "not written in Korean")
	f(set("summary", "応答時間は長いです。", "E1"), "ko", "not written in Korean")
	f(valid, "en", "not written in English")
	f(strings.Repeat("{", 70000), "ko", "over 65536 bytes")
	f(strings.Repeat(`{"a":`, 12000)+"1"+strings.Repeat("}", 3000), "ko", "not valid JSON")
}

func TestPointsAreCleanedToOneLineWithTheirCitationsApart(t *testing.T) {
	text := answer(func(m map[string]any) {
		m["analysis"] = []any{map[string]any{"text": "1. **인덱스 11**의\n쿼리에서\u202e 8003ms가 소요되었습니다 [E3, E4].", "evidence": []any{"E3", "E3"}}}
	})
	r, err := report.Parse(text, seedCase(t), "ko")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %v", r.Analysis[0].Text, r.Analysis[0].Evidence)
	if want := "인덱스 11의 쿼리에서 8003ms가 소요되었습니다. [E3 E4]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
