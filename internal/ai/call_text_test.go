package ai_test

import (
	"context"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

const (
	mail     = "minji.kim@kakaocorp.com"
	question = "Write to " + mail + " that it is done."
)

// near is a house whose first service is its own: nothing is masked for it.
func near(t *testing.T, keep string) *house {
	t.Helper()
	h := newHouse(t, metadbtest.SQLite(t))
	service := func(s *llm.Server, inHouse bool) ai.Service {
		p, err := openai.New(openai.Options{BaseURL: s.URL})
		if err != nil {
			t.Fatal(err)
		}
		return ai.Service{Kind: "openai", Provider: p, Keys: []ai.Key{{Alias: "main", Secret: "sk-secret-key"}}, InHouse: inHouse}
	}
	g, err := ai.New(ai.Options{DB: h.db, Telemetry: h.telemetry, Dir: t.TempDir(), KeepTexts: keep, Now: h.clock, Wait: h.wait,
		Services:     map[string]ai.Service{"near": service(h.first, true), "far": service(h.second, false)},
		DefaultChain: []ai.Entry{{Provider: "near", Model: "local"}, {Provider: "far", Model: "gpt-4.1"}}})
	if err != nil {
		t.Fatal(err)
	}
	h.use(t, g)
	return h
}

func sentTo(s *llm.Server) (all string) {
	for _, r := range s.Requests() {
		all += string(r.Raw)
	}
	return all
}

func TestAServiceOfTheHouseIsToldOriginalsAndTheNextOneOutsideOfItTokens(t *testing.T) {
	h := near(t, "")
	h.first.Script(llm.Reply{Text: "I have written to " + mail + "."})
	result := h.ask(t, ai.Input{Message: question})
	if !strings.Contains(sentTo(h.first), mail) || !strings.Contains(result.Text, mail) || len(result.Tokens) != 0 || !result.Attempts[0].InHouse {
		t.Errorf("sent %s; result %+v", sentTo(h.first), result)
	}
	call := h.logged(t, result.CallID)
	if text := call.System + call.Message + call.Answer + call.Attempts[0].Answer; strings.Contains(text, mail) || !strings.Contains(call.Answer, "I have written to mail") || len(call.Masked) != 1 || !call.Attempts[0].InHouse {
		t.Errorf("logged %+v", call)
	}

	h.first.Script(llm.Reply{Status: 500})
	h.second.Script(llm.Reply{Text: "done"})
	result = h.ask(t, ai.Input{Message: question})
	if strings.Contains(sentTo(h.second), mail) || result.Provider != "far" || result.Attempts[1].InHouse || len(result.Tokens) != 1 {
		t.Errorf("sent %s; result %+v", sentTo(h.second), result)
	}
}

func TestAnAnswerOfTheHouseThatIsRefusedIsRepairedWithOriginalsAndLoggedWithout(t *testing.T) {
	h := near(t, "")
	h.first.Script(llm.Reply{Text: "bad"}, llm.Reply{Text: "good"})
	in := ai.Input{Message: question, Validate: func(answer string) error {
		if answer != "good" {
			return fault.New(fault.Invalid, "%s is not told", mail)
		}
		return nil
	}}
	result := h.ask(t, in)
	if told := h.first.Requests()[1].Messages; !strings.Contains(told[len(told)-1].Content, mail+" is not told") {
		t.Errorf("told %+v", told)
	}
	call := h.logged(t, result.CallID)
	if call.Attempts[0].Status != ai.AttemptInvalid || !strings.Contains(call.Attempts[0].Error, "is not told") || strings.Contains(call.Attempts[0].Error, mail) {
		t.Errorf("logged %+v", call.Attempts)
	}
}

func TestAStreamOfTheHouseIsPassedOnAsItComes(t *testing.T) {
	h := near(t, "")
	h.first.Script(llm.Reply{Text: "I have written to " + mail + "."})
	var got strings.Builder
	result := h.ask(t, ai.Input{Message: question, Stream: func(text string) error { got.WriteString(text); return nil }})
	if got.String() != result.Text || !strings.Contains(result.Text, mail) {
		t.Errorf("streamed %q, answered %q", got.String(), result.Text)
	}
}

func TestTheLogKeepsOfTheTextsWhatTheRoleSays(t *testing.T) {
	h := near(t, ai.KeepNone)
	logged := func(keep string) *ai.Call {
		t.Helper()
		role, err := h.Roles().Get(t.Context(), ai.Shared, writer)
		if err != nil {
			t.Fatal(err)
		}
		role.KeepTexts, role.Chain = keep, []ai.Entry{{Provider: "far", Model: "gpt-4.1"}}
		if _, err := h.Roles().Update(t.Context(), *role, true, ai.Meant, "kim"); err != nil {
			t.Fatal(err)
		}
		h.second.Script(llm.Reply{Text: "done"})
		result := h.ask(t, ai.Input{Message: question})
		return h.logged(t, result.CallID)
	}
	if call := logged(""); call.System+call.Message+call.Answer+call.Attempts[0].Answer != "" || call.HasOriginals || call.Usage.InputTokens == 0 {
		t.Errorf("none: %+v", call)
	}
	masked := logged(ai.KeepMasked)
	if masked.Answer != "done" || !strings.HasPrefix(masked.Message, "Write to mail") || masked.HasOriginals {
		t.Errorf("masked: %+v", masked)
	}
	if originals, err := h.Originals(t.Context(), shop, masked.CallID); err != nil || len(originals) != 0 {
		t.Errorf("originals %+v, %v", originals, err)
	}
	call := logged(ai.KeepOriginals)
	originals, err := h.Originals(t.Context(), shop, call.CallID)
	if err != nil || len(originals) != 1 || originals[0].Value != mail || !strings.Contains(call.Message, originals[0].Token) || !call.HasOriginals || strings.Contains(call.Message, mail) {
		t.Errorf("originals %+v, %v: %+v", originals, err, call)
	}
	if _, err := h.Originals(t.Context(), shop+1, call.CallID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project reads the originals: %v", err)
	}
	role, err := h.Roles().Get(t.Context(), ai.Shared, writer)
	if err != nil {
		t.Fatal(err)
	}
	role.KeepTexts = "everything"
	if _, err := h.Roles().Update(t.Context(), *role, true, ai.Meant, "kim"); !fault.Is(err, fault.Invalid) {
		t.Errorf("err %v", err)
	}
}

func TestAServiceOfTheHouseIsToldWhatRecordedTokensStandForAndTheLogIsNot(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	var told string
	repeats := provider(func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		told = r.Messages[len(r.Messages)-1].Text
		return answers("it was "+told)(ctx, r, on)
	})
	made := 0
	g := h.storing(t, sealer(t, 1), repeats, &made)
	must[*ai.ModelService](t)(g.Services().Create(t.Context(), ai.ModelService{Name: "lab", Kind: "test", BaseURL: "http://lab.example", Enabled: true, InHouse: true}, "kim"))
	const masked = "mail mail234ac@x.example and tbl427kx"
	result := must[*ai.Result](t)(g.Ask(t.Context(), caller, ai.Entry{Provider: "lab", Model: "m"}, ai.Input{Message: masked,
		Recorded: append([]mask.Token{{Class: mask.Email, Token: "mail234ac@x.example", Value: "kim@shop.co.kr"}}, mask.Recorded(masked)...)}))
	if want := "mail kim@shop.co.kr and tbl427kx"; told != want || result.Text != "it was "+want {
		t.Errorf("told %q, answered %q", told, result.Text)
	}
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if call := must[*ai.Call](t)(g.Call(t.Context(), shop, result.CallID)); call.Message != masked || call.Answer != "it was "+masked {
		t.Errorf("logged %q, %q", call.Message, call.Answer)
	}
}
