package clickhouse

import (
	"slices"
	"strings"
	"testing"
)

func TestAScriptIsSplitAtItsSemicolonsOnly(t *testing.T) {
	f := func(script string, want ...string) {
		t.Helper()
		if got := statements(script); !slices.Equal(got, want) {
			t.Errorf("%q → %q, want %q", script, got, want)
		}
	}
	f("")
	f(" ; ;\n-- nothing; here\n/* ; */")
	f("a; b", "a", "b")
	f("a;\n", "a")
	f("SELECT ';', \"x;y\", `z;` ; b", "SELECT ';', \"x;y\", `z;`", "b")
	f(`SELECT 'it''s; so', 'a\';b'; c`, `SELECT 'it''s; so', 'a\';b'`, "c")
	f("a -- not ; here\n, b; c", "a -- not ; here\n, b", "c")
	f("a /* ; ' */ ; c", "a /* ; ' */", "c")
	f("a; -- it's the end", "a")
	f("a 'never closed; b", "a 'never closed; b")
}

func FuzzStatementsKeepEveryByteThatMatters(f *testing.F) {
	f.Add("SELECT ';' -- x;\n; b /* ; */")
	f.Add("'\\")
	f.Add("/*")
	f.Add("\v;\u00a0;a")
	f.Fuzz(func(t *testing.T, script string) {
		rest := script
		for _, s := range statements(script) {
			i := strings.Index(rest, s)
			if s == "" || i < 0 {
				t.Fatalf("%q gave %q, which is not in %q", script, s, rest)
			}
			if again := statements(s); len(again) != 1 || again[0] != s {
				t.Fatalf("%q is split again into %q", s, again)
			}
			rest = rest[i+len(s):]
		}
	})
}
