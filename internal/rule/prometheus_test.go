package rule_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/rule"
)

func readFile(t *testing.T, name string) []rule.FileRule {
	t.Helper()
	content, err := os.ReadFile("testdata/prometheus/" + name)
	if err != nil {
		t.Fatal(err)
	}
	rules, faults, err := rule.ReadPrometheus(content)
	if err != nil || len(faults) > 0 {
		t.Fatalf("%s: %v %v", name, faults, err)
	}
	return rules
}

func TestAlertingRulesOfPrometheusBecomeRulesAndRecordingRulesAreNamed(t *testing.T) {
	rules := readFile(t, "node.yml")
	type told struct {
		Line  int
		Name  string
		Left  string
		Rule  string
		Count int
		Quiet int
	}
	var got []told
	for _, r := range rules {
		got = append(got, told{r.Line, r.Name, r.Left, r.Rule.Name, r.Rule.Count, r.Rule.QuietMinutes})
	}
	want := []told{
		{8, "instance:node_cpu:ratio", "recording", "", 0, 0},
		{14, "NodeFilesystemAlmostFull", "", "NodeFilesystemAlmostFull: A file system is almost full (warning)", 30, 10},
		{28, "NodeFilesystemAlmostFull", "", "NodeFilesystemAlmostFull: A file system is almost full (critical)", 30, 10},
		{42, "NodeClockSkew", "", "NodeClockSkew", 1, 60},
		{53, "NodeDown", "", "NodeDown: A node does not answer", 2, 10},
		{62, "NodeDown", "twice", "", 0, 0},
		{71, "Watchdog", "always", "", 0, 0},
		{78, "NodeNeverBack", "long_for", "", 0, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got)\n%s", diff)
	}

	full := rules[2].Rule
	if diff := cmp.Diff(rule.Rule{
		Name: "NodeFilesystemAlmostFull: A file system is almost full (critical)", Kind: "promql", Enabled: true,
		Params: rule.Params{"query": "node_filesystem_avail_bytes{fstype!=\"\"} / node_filesystem_size_bytes{fstype!=\"\"} * 100 < 3\nand node_filesystem_readonly == 0", "op": "any"},
		Count:  30, WindowMinutes: 30, QuietMinutes: 10, Channels: []int64{}, Severity: rule.Critical, Owner: "platform",
		Runbook: "https://runbooks.example.com/node/filesystem", Labels: rule.Labels{"team": "platform", "area": "disk"}, Mutes: []rule.Mute{},
	}, full); diff != "" {
		t.Errorf("the rule (-want +got)\n%s", diff)
	}
	if rules[3].Rule.Severity != rule.Warning {
		t.Errorf("a severity nobody knows became %s", rules[3].Rule.Severity)
	}
	if diff := cmp.Diff([]rule.FileNote{
		{What: "rounded", About: "for: 30s"}, {What: "severity", About: "yellow"}, {What: "template", About: "where"},
		{What: "runbook", About: "https://runbooks.example.com/{{ $labels.job }}"},
	}, rules[3].Notes); diff != "" {
		t.Errorf("notes (-want +got)\n%s", diff)
	}
	if rules[3].Rule.Labels["severity"] != "yellow" {
		t.Error("the word for a severity nobody knows is lost")
	}
}

func TestAResourceOfKubernetesIsReadAsTheFileInIt(t *testing.T) {
	rules := readFile(t, "prometheusrule.yaml")
	if len(rules) != 2 || rules[0].Line != 14 || rules[1].Line != 27 || rules[0].Group != "prometheus" {
		t.Fatalf("rules: %+v", rules)
	}
	query, _ := rules[0].Rule.Params["query"].(string)
	if !strings.HasPrefix(query, "# A failed scrape") || !strings.Contains(query, "max_over_time(") {
		t.Errorf("a comment in an expression stays with it: %q", query)
	}
}

func TestWhatIsWrongWithARuleFileIsSaidWithItsLine(t *testing.T) {
	f := func(content string, line int, part string) {
		t.Helper()
		rules, faults, err := rule.ReadPrometheus([]byte(content))
		if err != nil || len(rules) > 0 || len(faults) == 0 {
			t.Errorf("%q: %v %v %v", content, rules, faults, err)
			return
		}
		if faults[0].Line != line || !strings.Contains(faults[0].Message, part) {
			t.Errorf("%q: line %d %q, want line %d with %q", content, faults[0].Line, faults[0].Message, line, part)
		}
	}
	f("", 0, "empty")
	f("- a\n", 1, "groups")
	f("groups: []\n", 0, "no rules")
	f("groups:\n- name: x\n  rules:\n  - alert: A\n    expr: sum(\n", 5, "parse error")
	f("groups:\n- name: x\n  rules:\n  - alert: A\n    exprs: up\n", 5, "exprs not found")
	f("groups:\n- name: x\n  rules:\n  - alert: A\n    expr: up\n    for: soon\n", 0, "not a valid duration")
	f("groups:\n- name: x\n  rules:\n  - alert: A\n    expr: up == 0\n  - alert: B\n    expr: up == 0\n    labels: {a-b: c}\n", 6, "invalid label name")
	f("groups:\n- name: x\n  rules:\n  - alert: A\n    expr: up\n  -\tb\n", 6, "cannot start any token")
	f("groups:\n- name: x\n  rules: [{alert: A, expr: up}]\n---\ngroups: []\n", 4, "second document")
	f("kind: PrometheusRule\nmetadata: {}\n", 1, "no spec")

	if _, _, err := rule.ReadPrometheus([]byte(strings.Repeat("# \n", 1<<20))); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a file of 3 MiB: %v", err)
	}
}

func TestAFileIsMadeOnceHoweverOftenItIsImported(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx := context.Background()
		store := rule.NewStore(db, nil)
		file := readFile(t, "node.yml")
		made, skipped, err := store.CreateAll(ctx, 1, "kim", rule.Wanted(file))
		if err != nil || len(made) != 4 || len(skipped) != 0 {
			t.Fatalf("made %d, skipped %v: %v", len(made), skipped, err)
		}
		taken, err := store.Names(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		rule.MarkTaken(file, taken)
		if left := rule.Wanted(file); len(left) != 0 {
			t.Errorf("a second import would make %d rules", len(left))
		}
		if again, skipped, err := store.CreateAll(ctx, 1, "kim", rule.Wanted(readFile(t, "node.yml"))); err != nil || len(again) != 0 || len(skipped) != 4 {
			t.Errorf("the second import made %d rules, skipped %v: %v", len(again), skipped, err)
		}
		if other, _, err := store.CreateAll(ctx, 2, "kim", rule.Wanted(readFile(t, "node.yml"))); err != nil || len(other) != 4 {
			t.Errorf("another project: %d rules, %v", len(other), err)
		}
	})
}

func TestOfASetWithAWrongRuleNoneIsMade(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx := context.Background()
		store := rule.NewStore(db, nil)
		wrong := slow("second")
		wrong.Count = 0
		_, _, err := store.CreateAll(ctx, 1, "kim", []rule.Rule{slow("first"), wrong})
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || !strings.Contains(f.Message, `"second"`) || f.Field != "count" {
			t.Errorf("a rule that counts nothing: %v", err)
		}
		if rules, err := store.List(ctx, 1); err != nil || len(rules) != 0 {
			t.Errorf("made in spite of it: %v %v", rules, err)
		}
	})
}
