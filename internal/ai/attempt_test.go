package ai_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// provider is one that exists in this process only.
type provider func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error)

// Complete implements ai.Provider.
func (p provider) Complete(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
	return p(ctx, r, on)
}

func serviceOf(p ai.Provider) ai.Service {
	return ai.Service{Kind: "test", Provider: p, Keys: []ai.Key{{Alias: "main", Secret: "sk-main"}}}
}

// inProcess replaces the gateway by one with these providers, asked in the
// order first, second.
func (h *house) inProcess(t *testing.T, first, second provider) {
	t.Helper()
	g, err := ai.New(ai.Options{DB: h.db, Telemetry: h.telemetry, Dir: t.TempDir(), Services: map[string]ai.Service{"first": serviceOf(first), "second": serviceOf(second)},
		DefaultChain: []ai.Entry{{Provider: "first", Model: "a", TimeoutMs: 600_000}, {Provider: "second", Model: "b", TimeoutMs: 600_000}},
		Log:          slog.New(slog.NewTextHandler(h.logs, nil)), Now: h.clock, Wait: h.wait})
	if err != nil {
		t.Fatal(err)
	}
	h.use(t, g)
}

func answers(text string) provider {
	return func(_ context.Context, _ ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		if on != nil {
			if err := on(ai.Piece{Text: text}); err != nil {
				return ai.Response{}, err
			}
		}
		return ai.Response{Text: text, Finish: ai.FinishStop}, nil
	}
}

func hangs(ctx context.Context, _ ai.Request, _ func(ai.Piece) error) (ai.Response, error) {
	<-ctx.Done()
	return ai.Response{}, fmt.Errorf("ask model: %w", ctx.Err())
}

func statuses(c *ai.Call) string {
	var all []string
	for _, a := range c.Attempts {
		all = append(all, a.Provider+":"+a.Status)
	}
	return strings.Join(all, " ")
}

func TestTheLogTellsWhatTheGatewayItselfTook(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	takes := func(d time.Duration, p provider) provider {
		return func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
			h.advance(d)
			return p(ctx, r, on)
		}
	}
	h.inProcess(t, takes(20_900*time.Microsecond, answers("one")), takes(30_800*time.Microsecond, answers("two")))
	in := input(seedCase(t))
	in.Validate = func(answer string) error {
		h.advance(150 * time.Microsecond)
		if answer != "two" {
			return fault.New(fault.Invalid, "it is not two")
		}
		return nil
	}
	call := h.logged(t, h.ask(t, in).CallID)
	asked := int64(len(call.Attempts)) // an answer that is not valid is asked for once more
	if asked < 2 || call.OverheadUs != asked*150 {
		t.Errorf("of %d attempts the gateway took %d µs, want 150 of each", asked, call.OverheadUs)
	}
}

func TestEveryAnswerIsLoggedWithTheModelThatGaveIt(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.first.Script(llm.Reply{Text: "one, says kim@kakaocorp.com"},
		llm.Reply{Body: `{"model": "gpt-4.1-mini-2025-04-14", "choices": [{"message": {"role": "assistant", "content": "two"}, "finish_reason": "stop"}]}`})
	in := input(seedCase(t))
	in.Validate = func(answer string) error {
		if answer != "two" {
			return fault.New(fault.Invalid, "it is not two")
		}
		return nil
	}
	attempts := h.logged(t, h.ask(t, in).CallID).Attempts
	if len(attempts) != 2 {
		t.Fatalf("attempts %+v", attempts)
	}
	refused, accepted := attempts[0], attempts[1]
	if !strings.HasPrefix(refused.Answer, "one, says ") || strings.Contains(refused.Answer, "kakaocorp") || refused.Key != "main" || refused.ServedModel != "gpt-4.1-mini" {
		t.Errorf("refused %+v", refused)
	}
	if accepted.Answer != "two" || !accepted.Repair || accepted.Model != "gpt-4.1-mini" || accepted.ServedModel != "gpt-4.1-mini-2025-04-14" {
		t.Errorf("accepted %+v", accepted)
	}
}

func TestWhatAnUnusableAnswerCostIsCounted(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.first.Script(llm.Reply{Text: "cut o", Finish: "length"}) // of gpt-4.1-mini: 0.4 USD per million in, 1.6 out
	call := h.logged(t, h.run(t, input(seedCase(t))).CallID)
	if statuses(call) != "openai:error backup:ok" {
		t.Fatalf("attempts %+v", call.Attempts)
	}
	cut, used := call.Attempts[0].Usage, call.Attempts[1].Usage
	if cut.InputTokens == 0 || cut.OutputTokens == 0 || call.Usage.InputTokens != cut.InputTokens+used.InputTokens || call.Usage.OutputTokens != cut.OutputTokens+used.OutputTokens {
		t.Errorf("usage %+v of %+v and %+v", call.Usage, cut, used)
	}
	want := (float64(cut.InputTokens)*0.4 + float64(cut.OutputTokens)*1.6) / 1e6
	if cut.CostUSD == nil || *cut.CostUSD < want*0.999999 || *cut.CostUSD > want*1.000001 {
		t.Errorf("it cost %v USD, want %v", cut.CostUSD, want)
	}
}

func TestAPanicOfAProviderOrACheckLeavesARecordAndAsksTheNext(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	f := func(first provider, validate func(string) error, want string) {
		t.Helper()
		h.inProcess(t, first, answers("good"))
		in := input(seedCase(t))
		in.Validate = validate
		call := h.logged(t, h.ask(t, in).CallID)
		if statuses(call) != want || call.Attempts[0].Error == "" {
			t.Errorf("attempts %+v, want %s", call.Attempts, want)
		}
		logs := h.logs.String()
		if !strings.Contains(logs, "attempt_test.go") || strings.Contains(logs, "secret of the message") {
			t.Errorf("the log says %s", logs)
		}
		h.logs.Reset()
	}
	f(func(context.Context, ai.Request, func(ai.Piece) error) (ai.Response, error) {
		panic("secret of the message")
	}, nil, "first:error second:ok")
	f(answers("bad"), func(answer string) error {
		if answer == "bad" {
			panic(errors.New("secret of the message"))
		}
		return nil
	}, "first:error second:ok")
}

func TestAModelThatHangsLeavesTimeForTheNext(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	f := func(second provider, status, want string) {
		t.Helper()
		h.inProcess(t, hangs, second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		result, err := h.Run(ctx, caller, writer, input(seedCase(t)))
		if (err == nil) != (status == ai.CallOK) || err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("err %v", err)
		}
		if call := h.logged(t, result.CallID); call.Status != status || statuses(call) != want {
			t.Errorf("logged %s with %+v, want %s with %s", call.Status, call.Attempts, status, want)
		}
	}
	f(answers("late but good"), ai.CallOK, "first:timeout second:ok")
	f(hangs, ai.CallTimeout, "first:timeout second:timeout")
}

func TestAChainNamesConfiguredProvidersOnly(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	if got, err := h.Providers(t.Context(), shop); err != nil || strings.Join(got, " ") != "backup openai" {
		t.Errorf("providers %s, %v", got, err)
	}
	role, err := h.Roles().Get(t.Context(), ai.Shared, ai.AlertAnalyzer)
	if err != nil {
		t.Fatal(err)
	}
	role.Chain = []ai.Entry{{Provider: "openai", Model: "gpt-4.1"}, {Provider: "opneai", Model: "gpt-4.1"}}
	refused := func(_ *ai.Role, err error) {
		t.Helper()
		if !fault.Is(err, fault.Invalid) || fault.As(err).Field != "chain" || !strings.Contains(err.Error(), `"opneai": configured are backup, openai`) {
			t.Errorf("err %v", err)
		}
	}
	refused(h.Roles().Update(t.Context(), *role, true, ai.Meant, "kim"))
	role.Code = "another"
	refused(h.Roles().Create(t.Context(), *role, "kim"))
}

func TestARefusedAnswerThatCannotBeMaskedIsNotLogged(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.inProcess(t, answers(strings.Repeat("x", 2<<20)), answers("good"))
	in := input(seedCase(t))
	in.Validate = func(answer string) error {
		if answer != "good" {
			return fault.New(fault.Invalid, "it is not good")
		}
		return nil
	}
	call := h.logged(t, h.ask(t, in).CallID)
	if statuses(call) != "first:invalid second:ok" || call.Attempts[0].Answer != "" || call.Attempts[0].Error != "it is not good" {
		t.Errorf("attempts %+v", call.Attempts)
	}
}
