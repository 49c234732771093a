package mask_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
)

func TestAPolicySwitchesClassesOffAndAddsItsOwn(t *testing.T) {
	policy := mask.Policy{
		Off:          []mask.Class{mask.Path, mask.IP},
		Patterns:     []mask.Pattern{{Name: "order number", Pattern: `\bORD-[0-9]{6}\b`}, {Name: "seat", Pattern: `seat ([A-Z][0-9]+)`}},
		Dictionaries: map[string][]string{"people": {"김철수", "Jane Roe"}},
		Allow:        []string{"Status.Kakao.com", "ORD-000000"},
	}
	if err := policy.Check(); err != nil {
		t.Fatal(err)
	}
	s := mask.NewSession(mask.WithPolicy(policy))
	got := masked(t, s, "GET /v1/users from 10.1.2.3 for 김철수가 and jane roe: ORD-123456, ORD-000000, seat B12; status.kakao.com, db.kakao.com")
	for _, kept := range []string{"/v1/users", "10.1.2.3", "ORD-000000", "status.kakao.com", "가 and "} {
		if !strings.Contains(got, kept) {
			t.Errorf("%s is gone: %q", kept, got)
		}
	}
	for _, gone := range []string{"김철수", "roe", "ORD-123456", "B12", "seat B", "db.kakao"} {
		if strings.Contains(got, gone) {
			t.Errorf("%s survived: %q", gone, got)
		}
	}
}

func TestAPolicyCannotSwitchSecretsOff(t *testing.T) {
	f := func(field string, p mask.Policy) {
		t.Helper()
		err := p.Check()
		if !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("%+v: %v, field %q, want %q", p, err, fault.As(err).Field, field)
		}
		s := mask.NewSession(mask.WithPolicy(p))
		if out, err := s.Mask("x"); err == nil || out != "" {
			t.Errorf("a policy that is refused must refuse all texts: %q, %v", out, err)
		}
		if s.Gate([]byte("x")) == nil {
			t.Error("the gate is open")
		}
	}
	f("off[0]", mask.Policy{Off: []mask.Class{mask.Secret}})
	f("off[1]", mask.Policy{Off: []mask.Class{mask.IP, mask.Cookie}})
	f("off[0]", mask.Policy{Off: []mask.Class{"nothing"}})
	f("patterns[0].pattern", mask.Policy{Patterns: []mask.Pattern{{Name: "x", Pattern: "("}}})
	f("patterns[0].pattern", mask.Policy{Patterns: []mask.Pattern{{Name: "x", Pattern: "a*"}}})
	f("patterns[1].name", mask.Policy{Patterns: []mask.Pattern{{Name: "x", Pattern: "a"}, {Name: "x", Pattern: "b"}}})
	f(`dictionaries["people"][1]`, mask.Policy{Dictionaries: map[string][]string{"people": {"김철수", "김"}}})
	f("allow[0]", mask.Policy{Allow: []string{" "}})
}

func TestAPolicyIsJSON(t *testing.T) {
	var p mask.Policy
	if err := json.Unmarshal([]byte(`{"off":["path"],"patterns":[{"name":"a","pattern":"b"}],"dictionaries":{"p":["kim"]},"allow":["x"]}`), &p); err != nil || p.Check() != nil || len(p.Off) != 1 || p.Patterns[0].Pattern != "b" {
		t.Errorf("%+v, %v", p, err)
	}
	if data, err := json.Marshal(mask.Policy{}); err != nil || string(data) != "{}" {
		t.Errorf("%s, %v", data, err)
	}
}

func TestAPatternThatIsWrongIsToldWhere(t *testing.T) {
	f := func(pattern, want string) {
		t.Helper()
		err := mask.Policy{Patterns: []mask.Pattern{{Name: "x", Pattern: pattern}}}.Check()
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", pattern, err, want)
		}
	}
	f("가나[a", "at character 3: missing closing ]")
	f("(ab", "at character 4: missing closing )")
	f("(ab))c", "at character 5: unexpected )")
	f("a**", "at character 2: invalid nested repetition operator")
	f(`ab\q`, "at character 3: invalid escape sequence")
	f("(?:[a-z]{50}[0-9]{50}){20}", "too large: RE2 makes ")
	f(strings.Repeat("a", 1001), "at most 1000 bytes")
}

func TestPoliciesTogetherMaskWhatAnyOfThemNames(t *testing.T) {
	role := mask.Policy{Off: []mask.Class{mask.Path, mask.IP}, Patterns: []mask.Pattern{{Name: "order", Pattern: `ORD-[0-9]{6}`}}, Allow: []string{"db.kakao.com"}}
	project := mask.Policy{Off: []mask.Class{mask.Email}, Always: []mask.Class{mask.IP}, Patterns: []mask.Pattern{{Name: "order", Pattern: `TICKET-[0-9]{4}`}}, Dictionaries: map[string][]string{"people": {"김철수"}}}
	const text = "GET /v1/users from 10.1.2.3 by kim@shop.com for 김철수: ORD-123456, TICKET-1234, db.kakao.com, pay.kakao.com"
	kept := []string{"/v1/users", "kim@shop.com", "db.kakao.com"}
	gone := []string{"10.1.2.3", "김철수", "ORD-123456", "TICKET-1234", "pay.kakao"}
	for _, order := range [][]mask.Policy{{role, project}, {project, role}} {
		compiled, err := mask.Compile(order...)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // sessions share it
			got := masked(t, mask.NewSession(mask.WithCompiled(compiled)), text)
			for _, k := range kept {
				if !strings.Contains(got, k) {
					t.Errorf("%s is gone: %q", k, got)
				}
			}
			for _, g := range gone {
				if strings.Contains(got, g) {
					t.Errorf("%s survived: %q", g, got)
				}
			}
		}
	}
	if none, err := mask.Compile(mask.Policy{}, mask.Policy{Always: []mask.Class{mask.IP}}); none != nil || err != nil {
		t.Errorf("the defaults are compiled: %v, %v", none, err)
	}
	if _, err := mask.Compile(role, mask.Policy{Off: []mask.Class{mask.Secret}}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	if err := (mask.Policy{Off: []mask.Class{mask.IP}, Always: []mask.Class{mask.IP}}).Check(); fault.As(err).Field != "always[0]" {
		t.Error(err)
	}
}

func BenchmarkASessionWithAPolicy(b *testing.B) {
	people := make([]string, 2000)
	for i := range people {
		people[i] = "person" + strings.Repeat("x", i%7) + string(rune('가'+i))
	}
	compiled, err := mask.Compile(mask.Policy{Patterns: []mask.Pattern{{Name: "order", Pattern: `ORD-[0-9]{6}`}}, Dictionaries: map[string][]string{"people": people}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		mask.NewSession(mask.WithCompiled(compiled))
	}
}
