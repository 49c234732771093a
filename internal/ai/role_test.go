package ai_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/report"
)

func TestAnEditedRoleIsLiveAtOnceAndKeepsItsHistory(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx := t.Context()
		now := time.Date(2025, 6, 17, 14, 3, 0, 123000, time.UTC)
		node1, node2 := ai.NewRoles(db, func() time.Time { return now }, []string{"openai"}), ai.NewRoles(db, nil, nil)
		if err := node1.Seed(ctx); err != nil {
			t.Fatal(err)
		}
		r, err := node1.Get(ctx, ai.Shared, ai.AlertAnalyzer)
		if err != nil || r.Version != 1 || r.UpdatedBy != "matrix" || !r.UpdatedAt.Equal(now) || r.Chain == nil {
			t.Fatalf("role %+v, err %v", r, err)
		}
		temperature := 0.2
		r.Parameters.Temperature = &temperature
		r.Chain = []ai.Entry{{Provider: "openai", Model: "gpt-4.1", TimeoutMs: 30_000}}
		if _, err := node1.Update(ctx, *r, true, ai.Meant, "kim"); err != nil {
			t.Fatal(err)
		}
		if _, err := node1.Update(ctx, *r, true, ai.Meant, "lee"); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "kim") {
			t.Errorf("an edit of an old version: %v", err)
		}
		seen, err := node2.Get(ctx, ai.Shared, ai.AlertAnalyzer)
		if err != nil || seen.Version != 2 || seen.UpdatedBy != "kim" || *seen.Parameters.Temperature != 0.2 || !reflect.DeepEqual(seen.Chain, r.Chain) {
			t.Errorf("the other node sees %+v, %v", seen, err)
		}
		if err := node2.Delete(ctx, ai.Shared, ai.AlertAnalyzer, 2, "park"); err != nil {
			t.Fatal(err)
		}
		if err := node1.Seed(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := node1.Get(ctx, ai.Shared, ai.AlertAnalyzer); !fault.Is(err, fault.NotFound) {
			t.Errorf("a deleted role came back: %v", err)
		}
		history, err := node1.History(ctx, ai.Shared, ai.AlertAnalyzer)
		if err != nil || len(history) != 3 || history[0].UpdatedBy != "park" || !history[0].Deleted || history[1].Deleted || history[2].Version != 1 {
			t.Errorf("history %+v, %v", history, err)
		}
		created, err := node1.Create(ctx, *r, "choi")
		if err != nil || created.Version != 4 {
			t.Errorf("created %+v, %v", created, err)
		}
		if _, err := node1.Create(ctx, *r, "choi"); !fault.Is(err, fault.Conflict) {
			t.Errorf("err %v", err)
		}
		if all, err := node1.List(ctx, ai.Shared); err != nil || len(all) != 3 || all[0].Code != ai.AlertAnalyzer || all[1].Code != ai.AnswerJudge || all[2].Code != ai.Investigator {
			t.Errorf("list %+v, %v", all, err)
		}
	})
}

func TestARoleThatCannotWorkIsRefusedWithTheFieldAtFault(t *testing.T) {
	f := func(field string, change func(r *ai.Role)) {
		t.Helper()
		r := ai.DefaultRoles()[0]
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		change(&r)
		err := r.Check()
		if !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	number := func(n float64) *float64 { return &n }
	count := func(n int64) *int64 { return &n }
	f("code", func(r *ai.Role) { r.Code = "No Good" })
	f("system_message", func(r *ai.Role) { r.SystemMessage = " \n" })
	f("system_message", func(r *ai.Role) { r.SystemMessage = strings.Repeat("x", 40_000) })
	f("chain", func(r *ai.Role) { r.Chain = []ai.Entry{{Provider: "openai"}} })
	f("chain", func(r *ai.Role) { r.Chain = []ai.Entry{{Provider: "openai", Model: "m", TimeoutMs: -1}} })
	f("chain", func(r *ai.Role) { r.Chain = make([]ai.Entry, 6) })
	f("parameters.temperature", func(r *ai.Role) { r.Parameters.Temperature = number(2.5) })
	f("parameters.top_p", func(r *ai.Role) { r.Parameters.TopP = number(0) })
	f("parameters.max_tokens", func(r *ai.Role) { r.Parameters.MaxTokens = count(0) })
	f("rate_limit_interval_ms", func(r *ai.Role) { r.RateLimitIntervalMs = -1 })
	for _, format := range []string{`{}`, `"x"`, `{"type":"json_schema","name":"a b","schema":{}}`, `{"type":"json_schema","name":"a","schema":7}`, `{"type":"json_schema","name":"a","schema":{"$ref":"#/nowhere"}}`} {
		f("response_format", func(r *ai.Role) { r.ResponseFormat = json.RawMessage(format) })
	}
}

func TestTheDefaultRoleAsksForTheReportsSchema(t *testing.T) {
	var format struct{ Schema any }
	if err := json.Unmarshal(ai.DefaultRoles()[0].ResponseFormat, &format); err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(report.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(format.Schema, schema) {
		t.Error("defaults/agent-alert-analyzer.schema.json is not the schema of package report")
	}
}

func TestTheDefaultRoleIsTheSeeds(t *testing.T) {
	message := ai.DefaultRoles()[0].SystemMessage
	for _, line := range []string{
		"You are an expert Site Reliability Engineer (SRE) responsible for handling incident analysis",
		"You have received an alert notification from MATRIX-APM.",
		"If SQL performance is an issue, include the table name and the type of CRUD operation involved (SELECT, INSERT, UPDATE, DELETE).",
		"If external API latency is the issue, include the API address causing the delay.",
		"Focus your analysis based on the severity and probable root cause found in the profile.",
	} {
		if !strings.Contains(message, line) {
			t.Errorf("the role lacks %q", line)
		}
	}
}

// TestAReportByAModelIsAcceptedEndToEnd: evidence → mask → model → unmask →
// strict reading, with the evidence as package evidence collects it.
func TestAReportByAModelIsAcceptedEndToEnd(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	for _, path := range []string{"../report/testdata/seed.bundle.json", "../evidence/testdata/seed.bundle.json"} {
		data, err := os.ReadFile(filepath.FromSlash(path))
		if err != nil {
			t.Fatal(err)
		}
		var b ground.Bundle
		if err := json.Unmarshal(data, &b); err != nil {
			t.Fatal(err)
		}
		for _, lang := range []string{"ko", "en"} {
			in := input(&b)
			in.Language = lang
			in.Validate = func(answer string) error { _, err := report.Parse(answer, &b, lang); return err }
			result := h.run(t, in)
			r, err := report.Parse(result.Text, &b, lang)
			if err != nil || len(result.Attempts) != 1 {
				t.Fatalf("attempts %+v, err %v", result.Attempts, err)
			}
			if text := r.Text(""); !strings.Contains(text, "test_tb1, test_tb2, test_tb3, test_tb4") || !strings.Contains(text, "/v1/api/test<GET>") || !strings.Contains(text, "8003") {
				t.Errorf("the report lacks the facts:\n%s", text)
			}
			rules := report.Deterministic(&b, lang, "")
			for _, p := range append(append(rules.Transaction, rules.Analysis...), rules.Actions...) {
				if found := ground.Check(p.Text, &b); len(found) > 0 {
					t.Errorf("%q: %v", p.Text, found)
				}
			}
			t.Logf("%s\n\n%s", r.Text(""), rules.Text(""))
		}
	}
}
