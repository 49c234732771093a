package ai_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// scripted fails with each of these in turn, and then answers.
func scripted(text string, failures ...error) provider {
	var mu sync.Mutex
	return func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		if len(failures) > 0 {
			err := failures[0]
			failures = failures[1:]
			return ai.Response{}, err
		}
		return answers(text)(ctx, r, on)
	}
}

func failing(class ai.Class, after time.Duration) error {
	f := ai.Fail(class, "it is so")
	f.RetryAfter = after
	return f
}

// role stores a role of free text and returns its code.
func (h *house) role(t *testing.T, change func(*ai.Role)) string {
	t.Helper()
	r := ai.Role{Code: "role-of-test", SystemMessage: "Answer."}
	change(&r)
	if _, err := h.Roles().Create(t.Context(), r, "kim"); err != nil {
		t.Fatal(err)
	}
	return r.Code
}

func TestAModelThatFailsForAMomentIsAskedAgainWithinTheBudgetOfTheCall(t *testing.T) {
	f := func(want string, pauses int, first provider) {
		t.Helper()
		h := newHouse(t, metadbtest.SQLite(t))
		h.inProcess(t, first, answers("second"))
		code := h.role(t, func(r *ai.Role) {})
		result, err := h.Run(t.Context(), caller, code, ai.Input{Message: "hello"})
		if err != nil {
			t.Fatal(err)
		}
		call := h.logged(t, result.CallID)
		if statuses(call) != want || len(h.paused) != pauses {
			t.Errorf("attempts %s with pauses %v, want %s with %d", statuses(call), h.paused, want, pauses)
		}
	}
	f("first:error first:ok", 1, scripted("good", failing(ai.Overloaded, 0)))
	f("first:error first:error first:ok", 2, scripted("good", failing(ai.Transport, 0), failing(ai.EmptyAnswer, 0)))
	f("first:error first:error first:error second:ok", 2, scripted("good", failing(ai.Overloaded, 0), failing(ai.Overloaded, 0), failing(ai.Overloaded, 0)))
	f("first:error second:ok", 0, scripted("good", failing(ai.BadRequest, 0)))
	f("first:error second:ok", 0, scripted("good", failing(ai.TooLong, 0)))
	f("first:error second:ok", 0, scripted("good", failing(ai.Refused, 0)))
}

func TestTheServiceSaysHowLongToWait(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.inProcess(t, scripted("good", failing(ai.RateLimited, 3*time.Second)), answers("second"))
	result, err := h.Run(t.Context(), caller, h.role(t, func(*ai.Role) {}), ai.Input{Message: "hello"})
	if err != nil || result.Text != "good" || len(h.paused) != 1 || h.paused[0] != 3*time.Second {
		t.Fatalf("%+v, %v, paused %v", result, err, h.paused)
	}
	if a := h.logged(t, result.CallID).Attempts[0]; a.WaitMs != 3000 || a.Class != ai.RateLimited {
		t.Errorf("logged %+v", a)
	}
	h.inProcess(t, scripted("good", failing(ai.RateLimited, time.Hour)), answers("second"))
	if result, err = h.Run(t.Context(), caller, "role-of-test", ai.Input{Message: "hello"}); err != nil || result.Text != "second" || len(h.paused) != 1 {
		t.Errorf("who asks for an hour is waited for: %+v, %v, %v", result, err, h.paused)
	}
}

func TestKeysOfAServiceStandInForEachOther(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	asked := map[string]int{}
	service := ai.Service{Kind: "test", Keys: []ai.Key{{Alias: "spent", Secret: "sk-1"}, {Alias: "good", Secret: "sk-2"}},
		Provider: provider(func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
			asked[r.Key]++
			if r.Key == "sk-1" {
				return ai.Response{}, failing(ai.QuotaExceeded, 0)
			}
			return answers("good")(ctx, r, on)
		})}
	g, err := ai.New(ai.Options{DB: h.db, Telemetry: h.telemetry, Dir: t.TempDir(), Services: map[string]ai.Service{"two": service},
		DefaultChain: []ai.Entry{{Provider: "two", Model: "m"}}, Now: h.clock, Wait: h.wait})
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, g)
	for range 40 {
		if result, err := g.Run(t.Context(), caller, writer, ai.Input{Message: "hello"}); err != nil || result.Text != "good" {
			t.Fatalf("%+v, %v", result, err)
		}
	}
	// The circuit of the spent key opens after ten calls.
	if asked["sk-1"] < 10 || asked["sk-1"] > 15 || asked["sk-2"] != 40 || len(h.paused) > 0 {
		t.Errorf("asked %v, paused %v", asked, h.paused)
	}
	circuits, err := g.Circuits(t.Context(), ai.Shared)
	if err != nil || circuits[0].Key != "spent" || circuits[0].State != ai.CircuitOpen || circuits[1].State != ai.CircuitClosed {
		t.Errorf("circuits %+v, %v", circuits, err)
	}
}

func TestACircuitOpenedByHandIsOpenOnTheOtherNode(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	here := h.Gateway
	h.inProcess(t, answers("one"), answers("two"))
	node := h.Gateway
	trip := ai.Circuit{Provider: "first", Model: "a", Key: "main", Reason: "maintenance"}
	if err := here.Trip(t.Context(), ai.Shared, trip, "kim"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("a service that is not configured: %v", err)
	}
	h.inProcess(t, answers("one"), answers("two"))
	if err := h.Trip(t.Context(), ai.Shared, trip, "kim"); err != nil {
		t.Fatal(err)
	}
	f := func(want, attempts string) {
		t.Helper()
		result, err := node.Run(t.Context(), caller, writer, ai.Input{Message: "hello"})
		if err != nil || result.Text != want {
			t.Fatalf("%+v, %v", result, err)
		}
		if err := node.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := statuses(h.logged(t, result.CallID)); got != attempts {
			t.Fatalf("attempts %s, want %s", got, attempts)
		}
	}
	f("two", "first:skipped second:ok")
	if err := h.Reset(t.Context(), ai.Shared, "first", "a", "main"); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for { // the other node remembers for half a second what it has read
		result, err := node.Run(t.Context(), caller, writer, ai.Input{Message: "hello"})
		if err == nil && result.Text == "one" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("still open: %+v, %v", result, err)
		}
	}
}

func TestAnEntryFallsThroughOnlyForTheFailuresItNames(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.inProcess(t, scripted("good", failing(ai.Refused, 0), failing(ai.TooLong, 0)), answers("second"))
	code := h.role(t, func(r *ai.Role) {
		r.Chain = []ai.Entry{{Provider: "first", Model: "a", FallThrough: []ai.Class{ai.TooLong}}, {Provider: "second", Model: "b"}}
	})
	result, err := h.Run(t.Context(), caller, code, ai.Input{Message: "hello"})
	if !errors.Is(err, ai.ErrExhausted) || len(result.Attempts) != 1 {
		t.Fatalf("a refusal went on to the next: %+v, %v", result, err)
	}
	if result, err = h.Run(t.Context(), caller, code, ai.Input{Message: "hello"}); err != nil || result.Text != "second" {
		t.Fatalf("%+v, %v", result, err)
	}
}

func TestWhenAllModelsFailForOneReasonTheCallerIsToldIt(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	f := func(first, second ai.Class, want fault.Kind) {
		t.Helper()
		h.inProcess(t, scripted("", failing(first, 7*time.Second)), scripted("", failing(second, 7*time.Second)))
		_, err := h.Run(t.Context(), caller, writer, ai.Input{Message: "hello"})
		if !errors.Is(err, ai.ErrExhausted) || !fault.Is(err, want) || (want == fault.RateLimited) != (fault.As(err).RetryAfter == 7*time.Second) {
			t.Errorf("%s and %s: %v (%v)", first, second, err, fault.KindOf(err))
		}
	}
	f(ai.RateLimited, ai.RateLimited, fault.RateLimited)
	f(ai.TooLong, ai.TooLong, fault.TooLarge)
	f(ai.Refused, ai.Refused, fault.Unsupported)
	f(ai.RateLimited, ai.TooLong, fault.Unavailable)
	f(ai.BadKey, ai.BadKey, fault.Unavailable)
}

func TestParametersOfAnEntryGoOverTheRolesAndThoseTheModelDoesNotTakeAreLeftOut(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	var seen []ai.Parameters
	sees := provider(func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		seen = append(seen, r.Parameters)
		return answers("good")(ctx, r, on)
	})
	h.inProcess(t, sees, answers("second"))
	warm, cold, half, seed := 0.9, 0.1, 0.5, int64(7)
	code := h.role(t, func(r *ai.Role) {
		r.Parameters = ai.Parameters{Temperature: &warm, TopP: &half, Seed: &seed, Stop: []string{"END"}}
		r.Chain = []ai.Entry{{Provider: "first", Model: "a-1", Parameters: &ai.Parameters{Temperature: &cold}}}
	})
	for _, c := range []ai.Capability{{Provider: "test", Model: "a-*", Rejects: []string{"seed"}}, {Provider: "first", Model: "*1", Either: []string{"temperature", "top_p"}}} {
		if _, err := h.Roles().SetCapability(t.Context(), c, "kim"); err != nil {
			t.Fatal(err)
		}
	}
	result, err := h.Run(t.Context(), caller, code, ai.Input{Message: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	if p := seen[0]; p.Temperature == nil || *p.Temperature != cold || p.TopP != nil || p.Seed != nil || len(p.Stop) != 1 {
		t.Errorf("sent %+v", p)
	}
	call := h.logged(t, result.CallID)
	if got := strings.Join(call.Dropped, " "); got != "top_p seed" || strings.Join(call.Attempts[0].Dropped, " ") != got {
		t.Errorf("logged as left out: %q and %v", got, call.Attempts[0].Dropped)
	}
	if err := h.Roles().DeleteCapability(t.Context(), "first", "*1"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Run(t.Context(), caller, code, ai.Input{Message: "hello"}); err != nil || seen[1].TopP == nil {
		t.Errorf("the edit is not live: %+v, %v", seen[1], err)
	}
}

func TestAServiceThatRefusesASchemaIsAskedInWordsAndFromThenOnAtOnce(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	var requests []ai.Request
	h.inProcess(t, func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		if requests = append(requests, r); r.Format != nil {
			return ai.Response{}, failing(ai.BadRequest, 0)
		}
		return answers(`{"a": "b"}`)(ctx, r, on)
	}, hangs)
	code := h.role(t, func(r *ai.Role) {
		r.ResponseFormat = []byte(`{"type":"json_schema","name":"answer","schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}}`)
	})
	for _, want := range []string{"first:error first:ok", "first:ok"} {
		result, err := h.Run(t.Context(), caller, code, ai.Input{Message: "hello"})
		if err != nil {
			t.Fatal(err)
		}
		call := h.logged(t, result.CallID)
		if last := call.Attempts[len(call.Attempts)-1]; statuses(call) != want || !last.InWords || call.SchemaValid == nil || !*call.SchemaValid {
			t.Errorf("attempts %+v, want %s", call.Attempts, want)
		}
	}
	if last := requests[2]; last.Format != nil || !strings.Contains(last.Messages[0].Text, `"required":["a"]`) {
		t.Errorf("asked %+v", last)
	}
}

func TestAnAnswerThatIsNotValidIsRepairedOnceAndThenTheNextModelIsAsked(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	var told []string
	h.inProcess(t, func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		told = append(told, r.Messages[len(r.Messages)-1].Text)
		return answers(`{"a": 1}`)(ctx, r, on)
	}, answers(`{"a": "b"}`))
	code := h.role(t, func(r *ai.Role) {
		r.ResponseFormat = []byte(`{"type":"json_schema","name":"answer","schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}}`)
	})
	result, err := h.Run(t.Context(), caller, code, ai.Input{Message: "hello"})
	if err != nil || !result.Structured {
		t.Fatalf("%+v, %v", result, err)
	}
	if got := statuses(h.logged(t, result.CallID)); got != "first:invalid first:invalid second:ok" || len(told) != 2 || !strings.Contains(told[1], "not valid against the schema") {
		t.Errorf("attempts %s, told %q", got, told)
	}
}

func TestAValidAnswerIsLoggedAsTheModelGaveItAndAsItIsByTheSchema(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.inProcess(t, func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		token := strings.Fields(r.Messages[len(r.Messages)-1].Text)[1] // that stands for the address
		return answers(`{ "to": "`+token+`", "cc": null }`)(ctx, r, on)
	}, answers("not JSON"))
	const format = `{"type":"json_schema","name":"answer","schema":{"type":"object","properties":{"to":{"type":"string"},"cc":{"type":"string"}},"required":["to"]}}`
	code := h.role(t, func(r *ai.Role) { r.ResponseFormat = []byte(format) })
	result, err := h.Run(t.Context(), caller, code, ai.Input{Message: "ask kim@kakaocorp.com now"})
	if err != nil || !strings.Contains(result.Text, `"kim@kakaocorp.com"`) || strings.Contains(result.Text, "cc") {
		t.Fatalf("%+v, %v", result, err)
	}
	call := h.logged(t, result.CallID)
	if !strings.Contains(call.Answer, `"cc": null`) || string(call.Parsed) != `{"to":"`+strings.Split(call.Answer, `"`)[3]+`"}` || strings.Contains(string(call.Parsed), "kakaocorp") {
		t.Errorf("the answer %s is parsed as %s", call.Answer, call.Parsed)
	}
	if call := h.logged(t, h.ask(t, ai.Input{Message: "hello"}).CallID); call.Parsed != nil {
		t.Errorf("an answer without a schema is parsed as %s", call.Parsed)
	}
}

func TestVariablesFillTheSystemMessageMasked(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	var system string
	h.inProcess(t, func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		system = r.Messages[0].Text
		return answers("good")(ctx, r, on)
	}, hangs)
	code := h.role(t, func(r *ai.Role) { r.SystemMessage = "Answer {{ team }} in {{language}}." })
	if _, err := h.Run(t.Context(), caller, code, ai.Input{Message: "hello"}); !fault.Is(err, fault.Invalid) || fault.As(err).Field != "variables.team" {
		t.Fatalf("without the variable: %v", err)
	}
	if _, err := h.Run(t.Context(), caller, code, ai.Input{Message: "hello", Language: "en", Variables: map[string]string{"team": "kim@kakaocorp.com"}}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(system, "Answer ") || !strings.Contains(system, " in English.") || strings.Contains(system, "kakaocorp") {
		t.Errorf("system message %q", system)
	}
}
