package ai_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// sent asks the writer for a project and returns the turn of the user as it left.
func (h *house) sent(t *testing.T, text string) string {
	t.Helper()
	h.ask(t, ai.Input{Message: text})
	requests := h.first.Requests()
	messages := requests[len(requests)-1].Messages
	return messages[len(messages)-1].Content
}

func TestTheMaskingOfAProjectIsLiveOnAllNodesWithinASecond(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		other, err := ai.New(ai.Options{DB: db, Telemetry: h.telemetry, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		closeAfter(t, other)
		const text = "order ORD-123456 of 김철수, GET /v1/orders"
		if got := h.sent(t, text); !strings.Contains(got, "ORD-123456") || strings.Contains(got, "/v1/orders") {
			t.Fatalf("the defaults sent %q", got)
		}
		policy := mask.Policy{Off: []mask.Class{mask.Path}, Patterns: []mask.Pattern{{Name: "order", Pattern: "ORD-[0-9]{6}"}}, Dictionaries: map[string][]string{"people": {"김철수"}}}
		stored, err := other.SetMasking(t.Context(), shop, ai.Masking{Policy: policy, Reason: "orders name people"}, "kim")
		if err != nil || stored.Version != 1 || stored.UpdatedBy != "kim" || stored.UpdatedAt == nil {
			t.Fatalf("%+v, %v", stored, err)
		}
		edited := time.Now()
		for {
			got := h.sent(t, text)
			if !strings.Contains(got, "ORD-123456") && !strings.Contains(got, "김철수") && strings.Contains(got, "/v1/orders") {
				break
			}
			if time.Since(edited) > time.Second {
				t.Fatalf("after a second it sends %q", got)
			}
		}
		if _, err := h.SetMasking(t.Context(), shop, ai.Masking{Version: 0}, "lee"); !fault.Is(err, fault.Conflict) {
			t.Errorf("an edit of an old version: %v", err)
		}
		if _, err := h.SetMasking(t.Context(), shop, ai.Masking{Version: 1}, "lee"); err != nil {
			t.Fatal(err)
		}
		if got := h.sent(t, text); !strings.Contains(got, "ORD-123456") {
			t.Errorf("where it was edited it is not live at once: %q", got)
		}
		history, err := h.MaskingHistory(t.Context(), shop)
		if err != nil || len(history) != 2 || history[0].UpdatedBy != "lee" || len(history[1].Policy.Patterns) != 1 || history[1].Reason != "orders name people" {
			t.Errorf("%+v, %v", history, err)
		}
		if m, err := h.Masking(t.Context(), shop+1); err != nil || m.Version != 0 || len(m.Policy.Patterns) != 0 {
			t.Errorf("another project has %+v, %v", m, err)
		}
	})
}

func TestAPolicyOfARoleIsPartOfItsVersion(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	role, err := h.Roles().Get(t.Context(), ai.Shared, writer)
	if err != nil {
		t.Fatal(err)
	}
	role.Masking = &mask.Policy{Patterns: []mask.Pattern{{Name: "ok", Pattern: "A"}, {Name: "order", Pattern: "ORD-([0-9]{6}"}}}
	if _, err := h.Roles().Update(t.Context(), *role, true, ai.Meant, "kim"); !fault.Is(err, fault.Invalid) || fault.As(err).Field != "masking.patterns[1].pattern" || !strings.Contains(err.Error(), "character 14") {
		t.Fatalf("a wrong pattern: %v in %q", err, fault.As(err).Field)
	}
	role.Masking = &mask.Policy{Off: []mask.Class{mask.Path, mask.Email}, Patterns: []mask.Pattern{{Name: "order", Pattern: "ORD-[0-9]{6}"}}}
	if role, err = h.Roles().Update(t.Context(), *role, true, ai.Meant, "kim"); err != nil {
		t.Fatal(err)
	}
	const text = "order ORD-123456 of kim@shop.com, GET /v1/orders"
	if got := h.sent(t, text); strings.Contains(got, "ORD-123456") || !strings.Contains(got, "/v1/orders") || !strings.Contains(got, "kim@shop.com") {
		t.Errorf("sent %q", got)
	}
	// What the project wants masked is masked, whatever the role says.
	if _, err := h.SetMasking(t.Context(), shop, ai.Masking{Policy: mask.Policy{Always: []mask.Class{mask.Email}}}, "lee"); err != nil {
		t.Fatal(err)
	}
	if got := h.sent(t, text); strings.Contains(got, "ORD-123456") || !strings.Contains(got, "/v1/orders") || strings.Contains(got, "kim@shop.com") {
		t.Errorf("with the project's policy it sent %q", got)
	}
	// An editor that does not know of policies keeps it; an empty one takes it away.
	role.Masking, role.SystemMessage = nil, "Write more."
	if role, err = h.Roles().Update(t.Context(), *role, true, ai.Meant, "old editor"); err != nil || role.Masking == nil || len(role.Masking.Patterns) != 1 {
		t.Fatalf("%+v, %v", role, err)
	}
	if got := h.sent(t, text); strings.Contains(got, "ORD-123456") {
		t.Errorf("after an edit of something else it sent %q", got)
	}
	role.Masking = &mask.Policy{}
	if role, err = h.Roles().Update(t.Context(), *role, true, ai.Meant, "kim"); err != nil {
		t.Fatal(err)
	}
	if got := h.sent(t, text); !strings.Contains(got, "ORD-123456") {
		t.Errorf("without the policy it sent %q", got)
	}
	// A try of an edited role has the policy of the edit, also under a stored version.
	role.Masking = &mask.Policy{Patterns: []mask.Pattern{{Name: "order", Pattern: "ORD-[0-9]{6}"}}}
	if _, err := h.Try(t.Context(), caller, role, ai.Input{Message: text}); err != nil {
		t.Fatal(err)
	}
	requests := h.first.Requests()
	if raw := string(requests[len(requests)-1].Raw); strings.Contains(raw, "ORD-123456") {
		t.Errorf("the try sent %s", raw)
	}
	if got := h.sent(t, text); !strings.Contains(got, "ORD-123456") {
		t.Errorf("the try changed what calls mask: %q", got)
	}
}

func TestATokenThatAModelMadeUpIsReportedAndNotRestored(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	var known string
	h.first.Behave(func(r llm.Request) llm.Reply {
		words := strings.Fields(r.Messages[len(r.Messages)-1].Content)
		known = words[len(words)-1]
		return llm.Reply{Text: "The host " + known + " asks host237kq, and host237kq asks tbl942wy."}
	})
	result := h.ask(t, ai.Input{Message: "Why is this slow: db-1.shop.internal"})
	if result.Text != "The host db-1.shop.internal asks host237kq, and host237kq asks tbl942wy." {
		t.Errorf("answered %q", result.Text)
	}
	call := h.logged(t, result.CallID)
	if got := strings.Join(call.Unknown, " "); got != "host237kq tbl942wy" {
		t.Errorf("reported %q, the answer was %q", got, call.Answer)
	}
	page, err := h.Calls(t.Context(), shop, ai.CallQuery{})
	if err != nil || len(page.Items) != 1 || len(page.Items[0].Unknown) != 2 {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestATrialTellsWhatWouldLeaveAndLeavesNothingBehind(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	if _, err := h.SetMasking(t.Context(), shop, ai.Masking{Policy: mask.Policy{Patterns: []mask.Pattern{{Name: "order", Pattern: "ORD-[0-9]{6}"}}}}, "lee"); err != nil {
		t.Fatal(err)
	}
	const text = "김철수의 주문 ORD-123456: kim@shop.com, password=hunter22"
	try := func(in ai.MaskingTrial) *ai.MaskingOutcome {
		t.Helper()
		out, err := h.TryMasking(t.Context(), shop, in)
		if err != nil {
			t.Fatal(err)
		}
		masked, chars := []rune(out.Masked), []rune(in.Text+in.JSON)
		for _, hit := range out.Hits {
			if string(masked[hit.MaskedStart:hit.MaskedEnd]) != hit.Token || hit.Start >= hit.End || hit.End > len(chars) {
				t.Errorf("hit %+v in %q", hit, out.Masked)
			}
		}
		if out.Gate.Refused || !out.Same {
			t.Errorf("%+v", out)
		}
		return out
	}
	classes := func(out *ai.MaskingOutcome) string {
		var all []string
		for _, hit := range out.Hits {
			all = append(all, string(hit.Class))
		}
		return strings.Join(all, " ")
	}
	out := try(ai.MaskingTrial{Text: text})
	if got := classes(out); got != "custom email secret" || strings.Contains(out.Masked, "hunter22") || out.Restored != text || len(out.Counts) != 3 {
		t.Errorf("hits %q, %+v", got, out)
	}
	if hit := out.Hits[0]; string([]rune(text)[hit.Start:hit.End]) != "ORD-123456" {
		t.Errorf("%+v", hit)
	}
	if want := []ai.MaskingMatches{{Name: "order", Matches: 1}}; !slices.Equal(out.Patterns, want) {
		t.Errorf("patterns %+v", out.Patterns)
	}
	policy := &mask.Policy{Off: []mask.Class{mask.Email}, Dictionaries: map[string][]string{"people": {"김철수"}}}
	if got := classes(try(ai.MaskingTrial{Text: text, Policy: policy})); got != "person secret" {
		t.Errorf("with another policy it hits %q", got)
	}
	if got := classes(try(ai.MaskingTrial{Text: text, Role: writer, RolePolicy: policy})); got != "person custom secret" {
		t.Errorf("with another policy of the role it hits %q", got)
	}
	out = try(ai.MaskingTrial{JSON: `{"table": "tb_member", "n": 12345678, "note": "tb_member of kim@shop.com"}`, Fields: mask.Fields{"table": mask.Table, "n": mask.Literal}})
	if got := classes(out); got != "table literal table email" || !json.Valid([]byte(out.Masked)) {
		t.Errorf("of the document it hits %q: %s", got, out.Masked)
	}
	// A field that is wrongly called plain is not looked at: the gate does.
	refused, err := h.TryMasking(t.Context(), shop, ai.MaskingTrial{JSON: `{"note": "kim@shop.com"}`, Fields: mask.Fields{"note": mask.Plain}})
	if err != nil || !refused.Gate.Refused || !strings.Contains(refused.Gate.Reason, "class email") {
		t.Errorf("%+v, %v", refused, err)
	}
	for field, in := range map[string]ai.MaskingTrial{
		"policy.patterns[0].pattern": {Text: text, Policy: &mask.Policy{Patterns: []mask.Pattern{{Name: "a", Pattern: "("}}}},
		"role_policy.off[0]":         {Text: text, RolePolicy: &mask.Policy{Off: []mask.Class{mask.Secret}}},
	} {
		if _, err := h.TryMasking(t.Context(), shop, in); !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("%v, want a fault of %s", err, field)
		}
	}
	if _, err := h.TryMasking(t.Context(), shop, ai.MaskingTrial{JSON: `{"a`}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	if _, err := h.TryMasking(t.Context(), shop, ai.MaskingTrial{Text: "x", Role: "nobody"}); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if err := h.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if page, err := h.Calls(t.Context(), shop, ai.CallQuery{}); err != nil || len(page.Items) != 0 {
		t.Errorf("the trials are logged: %+v, %v", page, err)
	}
	if m, err := h.Masking(t.Context(), shop); err != nil || m.Version != 1 {
		t.Errorf("a trial was stored: %+v, %v", m, err)
	}
	if strings.Contains(h.logs.String(), "hunter22") {
		t.Error("a trial is in the log of the process")
	}
}
