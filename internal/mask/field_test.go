package mask_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
)

var factFields = mask.Fields{"facts.values.table": mask.Table, "database": mask.Database, "host": mask.Host, "url": mask.URL, "kind": mask.Plain,
	"literal": mask.Literal, "account": mask.Account, "id": mask.Plain, "elapsed_ms": mask.Plain, "service": mask.Name, "pod": mask.Pod, "unit": mask.Plain}

func TestAKnownFieldIsMaskedWhateverItLooksLike(t *testing.T) {
	doc := `{ "kind": "statement", "facts": [ {"id": "E1", "text": "plain orders in 10.1.2.3", "values": {"table": "orders", "literal": "say \"no\" \u00e9"}},
		{"id":"E2","values":{"database":"Plain","host":"box","url":"https://pay.kakao.com/v2/x?y=1","account":1234,"elapsed_ms":8003}} ], "table": "not by path" }`
	s := mask.NewSession()
	out, err := s.MaskJSON([]byte(doc), factFields)
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"orders", "10.1.2.3", "say", "Plain", "box", "kakao", "v2", "1234"} {
		if bytes.Contains(out, []byte(gone)) {
			t.Errorf("%s survived in %s", gone, out)
		}
	}
	for _, kept := range []string{`"kind": "statement"`, `"E1"`, `8003`, `"text": "`, `https://`, `"not by path"`} {
		if !bytes.Contains(out, []byte(kept)) {
			t.Errorf("%s is gone from %s", kept, out)
		}
	}
	if want := strings.Replace(doc, "1234", `"1234"`, 1); !sameJSON(t, []byte(s.UnmaskJSON(string(out))), []byte(want)) {
		t.Errorf("came back as %s", s.UnmaskJSON(string(out)))
	}
	if err := s.Gate(out); err != nil {
		t.Error(err)
	}
}

func sameJSON(t interface{ Fatalf(string, ...any) }, a, b []byte) bool {
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatalf("%v in %s", err, a)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return reflect.DeepEqual(x, y)
}

func TestADocumentComesBackEqualAndPassesTheGate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var facts []map[string]any
		for range rapid.IntRange(1, 6).Draw(t, "facts") {
			v := secret().Draw(t, "value")
			facts = append(facts, map[string]any{"id": "E1", "text": conversation().Draw(t, "text"), "database": rapid.StringMatching(`[a-zA-Z가-힣"\\ ]{2,9}`).Draw(t, "db"),
				"values": map[string]any{"table": v.Text}})
		}
		doc, err := json.Marshal(map[string]any{"facts": facts})
		if err != nil {
			t.Fatal(err)
		}
		s := mask.NewSession()
		out, err := s.MaskJSON(doc, factFields)
		if err != nil {
			t.Fatalf("%v for %s", err, doc)
		}
		if !sameJSON(t, []byte(s.UnmaskJSON(string(out))), doc) {
			t.Fatalf("doc    %s\nmasked %s\nback   %s", doc, out, s.UnmaskJSON(string(out)))
		}
		again, err := s.MaskJSON(out, factFields)
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("once  %s\ntwice %s, %v", out, again, err)
		}
		if err := s.Gate(out); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
	})
}

func TestWhatIsNoJSONIsRefused(t *testing.T) {
	for _, doc := range []string{`{"a":"b`, `{"a":}`[:4] + `"x"`, `[1,2`, `]`, "{\"a\" \x01 1}"} {
		if out, err := mask.NewSession().MaskJSON([]byte(doc), nil); !fault.Is(err, fault.Invalid) || out != nil {
			t.Errorf("%s: %s, %v", doc, out, err)
		}
	}
	if _, err := mask.NewSession().MaskJSON([]byte(`{}`), mask.Fields{"a": "nothing"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("err %v", err)
	}
	if _, err := mask.NewSession(mask.WithLimit(1)).MaskJSON([]byte(`{}`), nil); !fault.Is(err, fault.TooLarge) {
		t.Errorf("err %v", err)
	}
}

func TestAValueBehindAnObjectInAListIsOfTheListsField(t *testing.T) {
	fields := mask.Fields{"hosts": mask.Host, "hosts.state": mask.Plain}
	s := mask.NewSession()
	out, err := s.MaskJSON([]byte(`{"hosts":[{"state":"up"},"box",{"state":"up","hosts":"cellar"},"attic"]}`), fields)
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"box", "attic", "cellar"} {
		if bytes.Contains(out, []byte(gone)) {
			t.Errorf("%s survived in %s", gone, out)
		}
	}
}

func TestFieldsAreFoundInWhateverOrderTheyStand(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	fields := mask.Fields{"list.a": mask.Table, "b": mask.Host, "list.c": mask.Plain, "list.g": mask.Database, "c": mask.Table}
	masks := map[string]bool{"a": true, "b": true, "g": true}
	rapid.Check(t, func(t *rapid.T) {
		var objects []string
		for range rapid.IntRange(1, 12).Draw(t, "objects") {
			var object []string
			for _, name := range rapid.Permutation(names).Draw(t, "names")[:rapid.IntRange(0, len(names)).Draw(t, "fields")] {
				object = append(object, `"`+name+`":"v`+name+`v"`)
			}
			objects = append(objects, "{"+strings.Join(object, ",")+"}")
		}
		doc := `{"list":[` + strings.Join(objects, ",") + `]}`
		out, err := mask.NewSession().MaskJSON([]byte(doc), fields)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if value := "v" + name + "v"; strings.Contains(doc, value) && strings.Contains(string(out), value) == masks[name] {
				t.Fatalf("%s: %s became %s", name, doc, out)
			}
		}
	})
}

func TestWordsInAFieldOfPhonesAreMaskedWhole(t *testing.T) {
	for _, value := range []string{"Kim Minji, 010-1234-5678", "office of Mr. Park 02 or the one behind it, which has no number at all (7)", "call 1"} {
		s := mask.NewSession()
		doc, err := json.Marshal(map[string]string{"phone": value, "text": "it is\nabout " + value + "\n and no other"})
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.MaskJSON(doc, mask.Fields{"phone": mask.Phone})
		if err != nil {
			t.Fatal(err)
		}
		for word := range strings.FieldsSeq(value) {
			if len(word) > 3 && bytes.Contains(out, []byte(word)) {
				t.Errorf("%s survived in %s", word, out)
			}
		}
		if back := s.UnmaskJSON(string(out)); !sameJSON(t, []byte(back), doc) {
			t.Errorf("%s came back as %s", doc, back)
		}
	}
}
