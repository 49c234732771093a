package app_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// layers is the order of the house, lowest first: a package imports only from
// lines below its own, and never a neighbour on the same line. Line 0 is the
// ground every line stands on; there, and only there, the pairs in foundation
// are allowed between neighbours.
var layers = [][]string{
	{"fault", "clock", "project", "clickhouse", "metadb", "job", "otel", "search", "sqltext", "pattern", "schema", "memo", "mask", "ground", "secret"},
	{"tenant", "audit", "trace", "logs", "metric", "flame", "view", "dashboard", "issue"},
	{"rule", "evidence", "investigate", "report", "notify", "ai", "storage", "host", "scrape"},
	{"incident", "quality"},
	{"api", "ingest", "modelapi", "scim"},
	{"app"},
}

// foundation lists who on line 0 may import whom on line 0.
var foundation = map[string][]string{
	"clickhouse": {"fault", "project"},
	"metadb":     {"fault"},
	"schema":     {"fault"},
	"secret":     {"fault"},
	"search":     {"fault"},
	"otel":       {"clickhouse", "project"},
	"job":        {"fault", "metadb"},
	"mask":       {"fault"},
	"ground":     {"fault", "mask"},
}

// clients speak to MATRIX or stand for the outside world, over the wire only:
// they import nothing of the product.
var clients = []string{"client", "shop", "load", "fake"}

const modulePath = "github.com/matrix-aiops/matrix/"

func TestAPackageImportsOnlyFromTheLinesBelowIt(t *testing.T) {
	line := map[string]int{}
	for i, names := range layers {
		for _, name := range names {
			line[name] = i
		}
	}
	client := map[string]bool{}
	for _, name := range clients {
		client[name] = true
	}
	for dir, imports := range importsBelow(t, "..") {
		pkg, _, _ := strings.Cut(dir, "/")
		if _, ok := line[pkg]; !ok && !client[pkg] {
			t.Errorf("internal/%s is on no line: add it to layers in this test and to ARCHITECTURE.md", dir)
			continue
		}
		for _, imp := range imports {
			if strings.HasPrefix(imp, "web") && pkg == "app" {
				continue // the binary embeds the UI
			}
			target, ok := strings.CutPrefix(imp, "internal/")
			if !ok {
				t.Errorf("internal/%s imports %s, which is not under internal/", dir, imp)
				continue
			}
			if why := forbidden(dir, target, line, client); why != "" {
				t.Errorf("internal/%s imports internal/%s: %s", dir, target, why)
			}
		}
	}
}

// forbidden says why the package in dir may not import target, "" when it may.
func forbidden(dir, target string, line map[string]int, client map[string]bool) string {
	from, _, _ := strings.Cut(dir, "/")
	to, _, _ := strings.Cut(target, "/")
	switch {
	case from == to:
		if strings.HasPrefix(target, dir+"/") {
			return "a parent never imports its child"
		}
		return ""
	case client[from]:
		return "it is a client of the product and speaks to it over the wire only"
	case client[to]:
		return "the product never imports its clients"
	case line[to] < line[from]:
		return ""
	case line[to] == 0 && line[from] == 0:
		for _, allowed := range foundation[from] {
			if allowed == to {
				return ""
			}
		}
		return "neighbours on line 0 import one another only as foundation lists"
	case line[to] == line[from]:
		return "neighbours on one line never import one another"
	}
	return "it is on a line above"
}

func TestTheLayersTestCatchesWhatItForbids(t *testing.T) {
	line := map[string]int{"fault": 0, "metadb": 0, "job": 0, "trace": 1, "rule": 2, "report": 2, "incident": 3}
	client := map[string]bool{"shop": true}
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"rule", "trace", true},
		{"rule", "report", false},
		{"trace", "rule", false},
		{"rule", "incident", false},
		{"job", "metadb", true},
		{"metadb", "job", false},
		{"ai/openai", "ai", true},
		{"ai", "ai/openai", false},
		{"shop", "trace", false},
		{"incident", "shop", false},
	} {
		if got := forbidden(c.from, c.to, line, client) == ""; got != c.ok {
			t.Errorf("%s → %s allowed = %v, want %v", c.from, c.to, got, c.ok)
		}
	}
}

// importsBelow maps each package directory under root (slash separated,
// relative) to the module-internal paths its non-test files import.
func importsBelow(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		// *test packages (clickhousetest, metadbtest, aitest) are test code.
		if d.IsDir() && strings.HasSuffix(d.Name(), "test") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(rel)
		found[dir] = append(found[dir], []string{}...)
		for _, spec := range file.Imports {
			value, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if inner, ok := strings.CutPrefix(value, modulePath); ok {
				found[dir] = append(found[dir], inner)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 3 {
		t.Fatalf("only %d packages found under %s: the walk is broken", len(found), root)
	}
	return found
}
