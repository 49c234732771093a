package mask_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
)

// request is the body a provider's client would send.
func request(t interface{ Fatal(...any) }, texts ...string) []byte {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	var messages []message
	for i, text := range texts {
		messages = append(messages, message{[]string{"system", "user", "assistant"}[i%3], text})
	}
	body, err := json.Marshal(map[string]any{"model": "gpt-4.1-mini", "messages": messages, "max_tokens": 4096, "temperature": 0.2, "stream": true,
		"response_format": map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "report", "strict": true,
			"schema": map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": []string{"summary"},
				"properties": map[string]any{"summary": map[string]string{"type": "string"}, "orders": map[string]string{"type": "integer"}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestTheGateRefusesWhatTheSessionKnowsAndWhatTheScannerFinds(t *testing.T) {
	f := func(text, class string) {
		t.Helper()
		s := mask.NewSession()
		s.Learn(mask.Value{Class: mask.Table, Text: "tb_member"}, mask.Value{Class: mask.Literal, Text: "say \"hi\" <&> 홍길동"})
		ok := masked(t, s, "tb_member is slow")
		if err := s.Gate(request(t, "Analyse.", ok)); err != nil {
			t.Errorf("the masked text is refused: %v", err)
		}
		for _, body := range [][]byte{request(t, "Analyse.", ok+" "+text), []byte(text)} {
			err := s.Gate(body)
			if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "class "+class) {
				t.Errorf("Gate(%s) = %v, want class %s", body, err, class)
				continue
			}
			var at int
			_, where, _ := strings.Cut(err.Error(), "at byte ")
			if _, scanErr := fmt.Sscanf(where, "%d", &at); scanErr != nil || at <= 0 && len(body) > len(text) || at >= len(body) {
				t.Errorf("no offset: %v", err)
			}
			if strings.Contains(err.Error(), text) {
				t.Errorf("the error holds the text: %v", err)
			}
		}
	}
	f("TB_Member", "table")
	f(`say "hi" <&> 홍길동`, "literal") // escaped in JSON as \" and \u003c
	f("10.1.2.3", "ip")
	f("password=hunter22", "secret")
	f("ghp_"+strings.Repeat("a1", 18), "secret")
	f("900101-1234567", "resident")
}

func TestTheGateDecodesEscapesAndLooksIntoJSONInStrings(t *testing.T) {
	s := mask.NewSession()
	s.Learn(mask.Value{Class: mask.Table, Text: "tb_member"})
	for _, body := range []string{
		`{"content":"\u0074b_member"}`,
		`{"content":"x\ntb_member"}`,
		`{"arguments":"{\"table\":\"\\u0074b_member\"}"}`,
		`{"content":"a \u0031\u0030.1.2.3 b"}`,
		`{"password":"hunter22"}`,
		`{"tb_member":1}`,
		`{"n":9001011234567}`,
	} {
		if err := s.Gate([]byte(body)); !fault.Is(err, fault.Denied) {
			t.Errorf("Gate(%s) = %v", body, err)
		}
	}
	for _, body := range []string{`{"role":"user","content":"a version 1.2.3.4","n":1764000000000}`, `{"model":"db-1.corp"}`, `{"--":"a","..-":"b"}`} {
		if err := s.Gate([]byte(body), "db-1.corp"); err != nil {
			t.Errorf("Gate(%s) = %v", body, err)
		}
	}
	if err := s.Gate([]byte(`{"a":"b`)); err == nil {
		t.Error("a broken body leaves")
	}
}

func TestTheGateAcceptsWhateverMaskMade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := mask.NewSession()
		s.Learn(rapid.SliceOfN(secret(), 0, 5).Draw(t, "known")...)
		var texts []string
		for range rapid.IntRange(1, 3).Draw(t, "texts") {
			text := conversation().Draw(t, "text")
			if rapid.Bool().Draw(t, "corpus") {
				text += "\n" + rapid.SampledFrom(corpusTexts()).Draw(t, "line")
			}
			texts = append(texts, text)
		}
		out, err := s.MaskAll(texts...)
		if err != nil {
			t.Fatalf("MaskAll(%q): %v", texts, err)
		}
		if err := s.Gate(request(t, out...), "gpt-4.1-mini", "report"); err != nil {
			t.Fatalf("%v in %q", err, out)
		}
	})
}

func TestTheGateRefusesATextOnceAValueInItWasLearned(t *testing.T) {
	s := mask.NewSession()
	text, err := s.Mask("the ledger is full")
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"content":"` + text + `"}`)
	if err := s.Gate(body); err != nil {
		t.Fatal(err)
	}
	s.Learn(mask.Value{Class: mask.Table, Text: "ledger"})
	if err := s.Gate(body); !fault.Is(err, fault.Denied) {
		t.Errorf("err %v", err)
	}
	if again, err := s.Mask(text); err != nil || again == text {
		t.Errorf("masked again: %q, %v", again, err)
	}
}

func TestAValueOfAClassThatIsNoneOfOursIsMaskedAndRefusedToo(t *testing.T) {
	for _, class := range []mask.Class{"", "badge", "\x00keep"} {
		s := mask.NewSession()
		s.Learn(mask.Value{Class: class, Text: "falcon77"})
		out := masked(t, s, "the badge falcon77 is lost")
		if strings.Contains(out, "falcon77") || s.Unmask(out) != "the badge falcon77 is lost" {
			t.Errorf("class %q: %q", class, out)
		}
		if err := s.Gate([]byte("about falcon77")); !fault.Is(err, fault.Denied) {
			t.Errorf("class %q: %v", class, err)
		}
	}
}
