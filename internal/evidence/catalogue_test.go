package evidence_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What a fact's values are called, and those values that are words of ours.
var (
	valueName = regexp.MustCompile(`\bf\.(?:value|classed|once|number|ms|count)\("(\w+)"`)
	ourWord   = regexp.MustCompile(`\bf\.value\("(?:about|what|metric|error|when)", "(\w+)"\)|\bt\.compared\(e, "(\w+)"|\{"(\d+h)", "`)
)

func TestEveryNameAndWordOfAFactIsInBothCatalogues(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			source.WriteString(read(t, file))
		}
	}
	for _, language := range []string{"en", "ko"} {
		var catalogue struct {
			Evidence struct{ Value, Said map[string]string }
		}
		if err := json.Unmarshal([]byte(read(t, filepath.Join("..", "..", "web", "src", "i18n", language+".json"))), &catalogue); err != nil {
			t.Fatal(err)
		}
		f := func(what string, re *regexp.Regexp, least int, known map[string]string) {
			found := re.FindAllStringSubmatch(source.String(), -1)
			if len(found) < least {
				t.Errorf("only %d %ss were found in the source: the pattern is worn out", len(found), what)
			}
			for _, m := range found {
				// A statement is shown as a block, not as a value.
				if name := strings.Join(m[1:], ""); known[name] == "" && name != "sql" {
					t.Errorf("%s.json has no entry for the %s %s", language, what, name)
				}
			}
		}
		f("name", valueName, 60, catalogue.Evidence.Value)
		f("word", ourWord, 12, catalogue.Evidence.Said)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
