package ai_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
)

// The organisations of these tests and a project of each. The names of the first
// begin like those of another, which is why there is one.
const (
	acme, bolt ai.Owner   = 7, 70
	ofBolt     project.ID = 9
)

var boltCaller = ai.Caller{Project: ofBolt, Kind: "incident", Name: "analyzer"}

// estate is a gateway on which organisations may have services of their own, with
// the one that all share and one that stands for what organisations rent.
type estate struct {
	*house
	shared, rented *llm.Server
	placeless      bool
}

func newEstate(t *testing.T, db *metadb.DB) *estate {
	t.Helper()
	h := newHouse(t, db)
	e := &estate{house: h, shared: h.first}
	var err error
	if e.rented, err = llm.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.rented.Close() })
	says := func(text string) llm.Behaviour {
		return func(llm.Request) llm.Reply { return llm.Reply{Text: text, Usage: &llm.Usage{Input: 1_000_000}} }
	}
	e.shared.Behave(says("shared"))
	e.rented.Behave(says("rented"))
	make := func(base string) (ai.Provider, error) { return openai.New(openai.Options{BaseURL: base}) }
	client := must[ai.Provider](t)(make(e.shared.URL))
	g, err := ai.New(ai.Options{DB: db, Telemetry: h.telemetry, Dir: t.TempDir(), Sealer: sealer(t, 1), Now: h.clock, Wait: h.wait,
		Services:     map[string]ai.Service{"openai": {Kind: "openai", Provider: client, Keys: []ai.Key{{Alias: "main", Secret: "sk-secret-key"}}}},
		DefaultChain: []ai.Entry{{Provider: "openai", Model: "gpt-4.1-mini"}},
		Kinds:        map[string]func(string) (ai.Provider, error){"openai": make},
		OrgKinds: map[string]func(string) (ai.Provider, error){"openai": make, "other": func(string) (ai.Provider, error) {
			return answers("of another kind"), nil
		}},
		Public: func(addr netip.Addr) bool {
			return addr != netip.MustParseAddr("10.1.2.3") && addr != netip.MustParseAddr("::1")
		},
		Place: func(_ context.Context, p project.ID) (org, group int64, err error) {
			if e.placeless {
				return 0, 0, errors.New("the metadata is away")
			}
			return map[project.ID]int64{shop: int64(acme), ofBolt: int64(bolt)}[p], 1, nil
		},
		Log: slog.New(slog.NewTextHandler(h.logs, nil))})
	if err != nil {
		t.Fatal(err)
	}
	h.use(t, g)
	return e
}

// rent gives an organisation a service of a name, with keys "key-of-<owner>-<alias>".
func (e *estate) rent(t *testing.T, owner ai.Owner, p ai.ModelService, aliases ...string) {
	t.Helper()
	s := e.Services().Of(owner)
	if p.BaseURL == "" && p.Kind == "openai" {
		p.BaseURL = e.rented.URL
	}
	p.Enabled = true
	must[*ai.ModelService](t)(s.Create(t.Context(), p, "kim"))
	for _, alias := range aliases {
		must[*ai.ModelService](t)(s.AddKey(t.Context(), p.Name, alias, secretOf(owner, alias), "kim"))
	}
}

func secretOf(owner ai.Owner, alias string) string { return fmt.Sprintf("key-of-%d-%s", owner, alias) }

// keysAt are the keys that a server was asked with, each once.
func keysAt(s *llm.Server) []string {
	var keys []string
	for _, r := range s.Requests() {
		keys = append(keys, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (e *estate) answer(t *testing.T, who ai.Caller) string {
	t.Helper()
	result, err := e.Run(t.Context(), who, writer, ai.Input{Message: "hello"})
	if err != nil {
		return err.Error()
	}
	return result.Text
}

var ownOpenAI = ai.ModelService{Name: "openai", Kind: "openai"}

func TestAnOrganisationsOwnProviderIsAskedByItsCallsAndByNobodyElses(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		e := newEstate(t, db)
		e.rent(t, acme, ownOpenAI, "main")
		if mine, theirs := e.answer(t, caller), e.answer(t, boltCaller); mine != "rented" || theirs != "shared" {
			t.Errorf("acme heard %q, bolt %q", mine, theirs)
		}
		// By name, which has no role, and as vectors.
		entry := ai.Entry{Provider: "openai", Model: "gpt-4.1-mini"}
		for who, want := range map[ai.Caller]string{caller: "rented", boltCaller: "shared"} {
			if result, err := e.Ask(t.Context(), who, entry, ai.Input{Message: "hello"}); err != nil || result.Text != want {
				t.Errorf("%v by name: %+v, %v", who.Project, result, err)
			}
			must[*ai.EmbedResponse](t)(e.Embed(t.Context(), who, ai.Entry{Provider: "openai", Model: "text-embedding-3-small"}, []string{"hello"}, 0))
		}
		if got := keysAt(e.rented); !slices.Equal(got, []string{secretOf(acme, "main")}) || len(e.rented.Requests()) != 3 {
			t.Errorf("the rented service was asked with %v", got)
		}
		if got := keysAt(e.shared); !slices.Equal(got, []string{"sk-secret-key"}) || len(e.shared.Requests()) != 3 {
			t.Errorf("the shared service was asked with %v", got)
		}
		// A name that only acme has is none for bolt.
		e.rent(t, acme, ai.ModelService{Name: "lab", Kind: "openai"}, "main")
		lab := ai.Entry{Provider: "lab", Model: "m"}
		if _, err := e.Ask(t.Context(), boltCaller, lab, ai.Input{Message: "hello"}); !errors.Is(err, ai.ErrNoModel) {
			t.Errorf("bolt asks acme's: %v", err)
		}
		if result, err := e.Ask(t.Context(), caller, lab, ai.Input{Message: "hello"}); err != nil || result.Text != "rented" {
			t.Errorf("acme asks its own: %+v, %v", result, err)
		}
		names := must[[]string](t)
		if mine, theirs := names(e.Providers(t.Context(), shop)), names(e.Providers(t.Context(), ofBolt)); !slices.Equal(mine, []string{"lab", "openai"}) || !slices.Equal(theirs, []string{"openai"}) {
			t.Errorf("acme may name %v, bolt %v", mine, theirs)
		}
		// A role that all share cannot name it, a try of acme's can.
		role := ai.Role{Code: "of-lab", SystemMessage: "Answer.", Chain: []ai.Entry{lab}}
		if _, err := e.Roles().Create(t.Context(), role, "kim"); !fault.Is(err, fault.Invalid) {
			t.Errorf("a shared role of acme's provider: %v", err)
		}
		if _, err := e.Try(t.Context(), boltCaller, &role, ai.Input{Message: "hello"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("bolt tries acme's provider: %v", err)
		}
		if _, err := e.Try(t.Context(), caller, &role, ai.Input{Message: "hello"}); err != nil {
			t.Errorf("acme tries its own: %v", err)
		}
	})
}

func TestSwitchedOffAnOrganisationsProviderGivesWayAndWithoutAKeyThatWorksItDoesNot(t *testing.T) {
	e := newEstate(t, metadbtest.SQLite(t))
	s := e.Services().Of(acme)
	e.rent(t, acme, ai.ModelService{Name: "openai", Kind: "openai", BaseURL: e.rented.URL}, "main")
	must[*ai.ModelService](t)(s.SetKey(t.Context(), "openai", "main", "", false, "kim"))
	if got := e.answer(t, caller); got == "shared" || len(e.shared.Requests()) > 0 {
		t.Errorf("its only key is off, and the shared contract answered %q", got)
	}
	p := must[*ai.ModelService](t)(s.Get(t.Context(), "openai"))
	p.Enabled = false
	must[*ai.ModelService](t)(s.Update(t.Context(), *p, "kim"))
	if got := e.answer(t, caller); got != "shared" {
		t.Errorf("switched off it stays in the way: %q", got)
	}
	// Another kind has other models: a role that all share does not mean it.
	e.rent(t, bolt, ai.ModelService{Name: "openai", Kind: "other"}, "main")
	if got := e.answer(t, boltCaller); got != "shared" {
		t.Errorf("a shared role asks a provider of another kind: %q", got)
	}
	if result, err := e.Ask(t.Context(), boltCaller, ai.Entry{Provider: "openai", Model: "m"}, ai.Input{Message: "hello"}); err != nil || result.Text != "of another kind" {
		t.Errorf("by name: %+v, %v", result, err)
	}
}

func TestACallWhoseOrganisationCannotBeToldIsNotMade(t *testing.T) {
	e := newEstate(t, metadbtest.SQLite(t))
	e.placeless = true
	byName := func() (*ai.Result, error) {
		return e.Ask(t.Context(), caller, ai.Entry{Provider: "openai", Model: "m"}, ai.Input{Message: "hello"})
	}
	if result, err := byName(); err != nil || result.Text != "shared" {
		t.Errorf("by name it does not matter while nobody has a provider of their own: %+v, %v", result, err)
	}
	if got := e.answer(t, caller); got == "shared" {
		t.Error("a role was asked that the organisation may have one of its own for")
	}
	e.rent(t, bolt, ownOpenAI, "main")
	asked := len(e.shared.Requests())
	if got := e.answer(t, caller); got == "shared" || len(e.shared.Requests()) > asked {
		t.Errorf("it may be bolt's call, and the shared service answered %q", got)
	}
	if result, err := byName(); err == nil || len(e.shared.Requests()) > asked {
		t.Errorf("by name it may be bolt's call, too: %+v", result)
	}
}

func TestKeysTakeTurnsAndCircuitsOpenForEachOwnerByItself(t *testing.T) {
	e := newEstate(t, metadbtest.SQLite(t))
	e.rent(t, acme, ownOpenAI, "busy", "free")
	e.rent(t, bolt, ownOpenAI, "main")
	e.rented.Behave(func(r llm.Request) llm.Reply {
		if strings.HasSuffix(r.Header.Get("Authorization"), secretOf(acme, "busy")) {
			return llm.Reply{Status: http.StatusTooManyRequests, RetryAfter: time.Hour}
		}
		return llm.Reply{Text: "rented"}
	})
	for range 60 {
		if got := e.answer(t, caller); got != "rented" {
			t.Fatalf("acme heard %q", got)
		}
	}
	if got := e.answer(t, boltCaller); got != "rented" {
		t.Fatalf("bolt heard %q", got)
	}
	if got := keysAt(e.rented); !slices.Equal(got, []string{secretOf(acme, "busy"), secretOf(acme, "free"), secretOf(bolt, "main")}) {
		t.Errorf("asked with %v", got)
	}
	circuits := must[[]ai.Circuit](t)
	mine := circuits(e.Circuits(t.Context(), acme))
	if len(mine) != 2 || mine[0].Provider != "openai" || mine[0].Key != "busy" || mine[0].State != ai.CircuitOpen || mine[1].State != ai.CircuitClosed {
		t.Errorf("circuits of acme %+v", mine)
	}
	if theirs := circuits(e.Circuits(t.Context(), bolt)); len(theirs) != 1 || theirs[0].Key != "main" || theirs[0].State != ai.CircuitClosed {
		t.Errorf("circuits of bolt %+v", theirs)
	}
	if shared := circuits(e.Circuits(t.Context(), ai.Shared)); len(shared) != 0 {
		t.Errorf("circuits of all %+v", shared)
	}
	// By hand: bolt's opens bolt's alone, and acme cannot reach it.
	byHand := ai.Circuit{Provider: "openai", Model: "gpt-4.1-mini", Key: "main"}
	if err := e.Trip(t.Context(), acme, byHand, "kim"); !fault.Is(err, fault.NotFound) {
		t.Errorf("acme opens bolt's: %v", err)
	}
	if err := e.Trip(t.Context(), bolt, byHand, "lee"); err != nil {
		t.Fatal(err)
	}
	if mine, theirs := e.answer(t, caller), e.answer(t, boltCaller); mine != "rented" || theirs == "rented" || theirs == "shared" {
		t.Errorf("acme heard %q, bolt %q", mine, theirs)
	}
	if err := e.Reset(t.Context(), acme, "openai", "gpt-4.1-mini", "main"); err != nil {
		t.Fatal(err)
	}
	if got := e.answer(t, boltCaller); got == "rented" {
		t.Error("acme closed the circuit of bolt")
	}
	if err := e.Reset(t.Context(), bolt, "openai", "gpt-4.1-mini", "main"); err != nil {
		t.Fatal(err)
	}
	if got := e.answer(t, boltCaller); got != "rented" {
		t.Errorf("closed again, bolt heard %q", got)
	}
	if err := e.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	health := must[[]ai.KeyHealth](t)
	if mine := health(e.KeyHealth(t.Context(), acme)); len(mine) != 2 || mine[0].Provider != "openai" || mine[0].Key != "busy" || mine[0].LastClass != "rate_limited" || mine[1].Calls != 61 {
		t.Errorf("health of acme's %+v", mine)
	}
	if theirs := health(e.KeyHealth(t.Context(), bolt)); len(theirs) != 1 || theirs[0].Key != "main" || theirs[0].Calls != 2 {
		t.Errorf("health of bolt's %+v", theirs)
	}
	if shared := health(e.KeyHealth(t.Context(), ai.Shared)); len(shared) != 0 {
		t.Errorf("health of all's %+v", shared)
	}
}

func TestNothingIsMaskedForAnOrganisationsHouseAndOnlyInItsCalls(t *testing.T) {
	e := newEstate(t, metadbtest.SQLite(t))
	e.rent(t, acme, ai.ModelService{Name: "openai", Kind: "openai", InHouse: true}, "main")
	e.rent(t, bolt, ownOpenAI, "main")
	for _, who := range []ai.Caller{caller, boltCaller} {
		must[*ai.Result](t)(e.Run(t.Context(), who, writer, ai.Input{Message: "write to kim.minji@corp.example"}))
	}
	sent := e.rented.Requests()
	if open, masked := string(sent[0].Raw), string(sent[1].Raw); !strings.Contains(open, "kim.minji@corp.example") || strings.Contains(masked, "kim.minji") {
		t.Errorf("acme's house was told %s, bolt's service %s", open, masked)
	}
}

func TestTheLogNamesTheProviderPlainlyAndTellsWhoseItWas(t *testing.T) {
	e := newEstate(t, metadbtest.SQLite(t))
	e.rent(t, acme, ownOpenAI, "main")
	result := must[*ai.Result](t)(e.Run(t.Context(), caller, writer, ai.Input{Message: "hello"}))
	call := e.logged(t, result.CallID)
	if call.Provider != "openai" || call.Attempts[0].Provider != "openai" || call.Attempts[0].Owner != acme || call.Attempts[0].Key != "main" || call.Org != int64(acme) {
		t.Errorf("call of %s, attempt %+v", call.Provider, call.Attempts[0])
	}
	page := must[*ai.CallPage](t)(e.Calls(t.Context(), shop, ai.CallQuery{CallFilter: ai.CallFilter{Provider: "openai"}}))
	if len(page.Items) != 1 {
		t.Errorf("%d calls of openai", len(page.Items))
	}
}

func TestAModelOfOnesOwnCostsWhatOneSaysAndElseWhatTheInstallationSays(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		e := newEstate(t, db)
		e.rent(t, acme, ownOpenAI, "main")
		e.rent(t, acme, ai.ModelService{Name: "azure", Kind: "openai"}, "main")
		cost := func(provider, model string) float64 {
			t.Helper()
			result := must[*ai.Result](t)(e.Ask(t.Context(), caller, ai.Entry{Provider: provider, Model: model}, ai.Input{Message: "hello"}))
			if result.Usage.CostUSD == nil {
				return -1
			}
			return *result.Usage.CostUSD
		}
		if byName, byKind := cost("openai", "gpt-4.1-mini"), cost("azure", "gpt-4.1-mini"); byName != 0.4 || byKind != 0.4 {
			t.Errorf("by name %v, by kind %v", byName, byKind)
		}
		mine := e.Services().Of(acme).Prices()
		set := must[*ai.Price](t)(mine.Set(t.Context(), ai.Price{Provider: "azure", Model: "gpt-4.1-mini", Input: 3}, "kim"))
		must[*ai.Price](t)(mine.Set(t.Context(), ai.Price{Provider: "azure", Model: "our-tune", Input: 5}, "kim"))
		if own, other, tune := cost("azure", "gpt-4.1-mini"), cost("openai", "gpt-4.1-mini"), cost("azure", "our-tune"); own != 3 || other != 0.4 || tune != 5 || set.Provider != "azure" {
			t.Errorf("own %v, other %v, tune %v, set %+v", own, other, tune, set)
		}
		if _, err := mine.Set(t.Context(), ai.Price{Provider: "backup", Model: "m", Input: 1}, "kim"); !fault.Is(err, fault.NotFound) {
			t.Errorf("of a provider that is not its own: %v", err)
		}
		theirs := e.Services().Of(bolt).Prices()
		if err := theirs.Withdraw(t.Context(), set.Version, "lee"); !fault.Is(err, fault.NotFound) {
			t.Errorf("bolt takes back acme's: %v", err)
		}
		prices := must[[]ai.Price](t)
		if listed := prices(mine.List(t.Context())); len(listed) != 2 || listed[0].Provider != "azure" {
			t.Errorf("acme's %+v", listed)
		}
		if listed := prices(theirs.List(t.Context())); len(listed) != 0 {
			t.Errorf("bolt's %+v", listed)
		}
		for _, p := range prices(e.Services().Prices().List(t.Context())) {
			if p.Model == "our-tune" || strings.Contains(p.Provider, "/") {
				t.Errorf("of all: %+v", p)
			}
		}
		if err := mine.Delete(t.Context(), "azure", "gpt-4.1-mini", "kim"); err != nil {
			t.Fatal(err)
		}
		if got := cost("azure", "gpt-4.1-mini"); got != 0.4 {
			t.Errorf("without its own price it costs %v", got)
		}
		if history := prices(mine.History(t.Context(), "azure", "gpt-4.1-mini")); len(history) != 2 || !history[0].Ended {
			t.Errorf("history %+v", history)
		}
	})
}

func TestTheCostsOfAnOrganisationsCallsAreCountedAgainByTheSameRule(t *testing.T) {
	e := newEstate(t, metadbtest.SQLite(t))
	e.rent(t, acme, ai.ModelService{Name: "azure", Kind: "openai"}, "main")
	of := func() string {
		t.Helper()
		list := must[ai.PriceList](t)(e.Roles().PriceList(t.Context()))
		var steps []string
		for _, p := range list.Of("7/azure", "gpt-4.1-mini") { // as a recount asks
			since := "always"
			if p.From != nil {
				since = p.From.Sub(e.clock()).String()
			}
			steps = append(steps, fmt.Sprintf("%v since %s", p.Input, since))
		}
		return strings.Join(steps, ", ")
	}
	if got := of(); got != "0.4 since always" {
		t.Errorf("without one of its own: %s", got)
	}
	mine := e.Services().Of(acme).Prices()
	for hours, usd := range map[int]float64{-2: 3, 2: 4} {
		from := e.clock().Add(time.Duration(hours) * time.Hour)
		must[*ai.Price](t)(mine.Set(t.Context(), ai.Price{Provider: "azure", Model: "gpt-4.1-mini", Input: usd, From: &from}, "kim"))
	}
	if got := of(); got != "4 since 2h0m0s, 3 since -2h0m0s, 0.4 since always" {
		t.Errorf("with two of its own: %s", got)
	}
	if err := mine.Delete(t.Context(), "azure", "gpt-4.1-mini", "kim"); err != nil {
		t.Fatal(err)
	}
	if got := of(); got != "0.4 since 0s, 3 since -2h0m0s, 0.4 since always" {
		t.Errorf("after those end: %s", got)
	}
}

func TestAnOrganisationMayNotPointAtAddressesInside(t *testing.T) {
	e := newEstate(t, metadbtest.SQLite(t))
	inside := ai.ModelService{Name: "lab", Kind: "openai", Enabled: true}
	for _, base := range []string{"http://10.1.2.3/v1", "http://[::1]:8080", "http://localhost:11434", "http://api.LOCALHOST.", "http://[::ffff:169.254.169.254]/", "http://169.254.169.254/latest"} {
		inside.BaseURL = base
		if _, err := e.Services().Of(acme).Create(t.Context(), inside, "kim"); !fault.Is(err, fault.Invalid) || fault.As(err).Field != "base_url" {
			t.Errorf("%s: %v", base, err)
		}
	}
	inside.BaseURL = "http://10.1.2.3/v1"
	must[*ai.ModelService](t)(e.Services().Create(t.Context(), inside, "root")) // the installation's may be anywhere
	must[*ai.ModelService](t)(e.Services().Of(acme).Create(t.Context(), ai.ModelService{Name: "out", Kind: "openai", BaseURL: "https://models.example/v1"}, "kim"))
	if _, err := e.Services().Of(acme).Update(t.Context(), ai.ModelService{Name: "out", Version: 1, Kind: "openai", BaseURL: "http://10.1.2.3"}, "kim"); !fault.Is(err, fault.Invalid) {
		t.Errorf("changed to one inside: %v", err)
	}
}

func TestTheProvidersOfAnOrganisationAreNotInTheListOfAnother(t *testing.T) {
	e := newEstate(t, metadbtest.SQLite(t))
	e.rent(t, acme, ai.ModelService{Name: "lab", Kind: "openai"}, "main")
	e.rent(t, bolt, ai.ModelService{Name: "lab", Kind: "openai"}, "first", "second")
	e.rent(t, bolt, ownOpenAI, "main")
	list := must[[]ai.ModelService](t)
	mine, theirs, shared := list(e.Services().Of(acme).List(t.Context())), list(e.Services().Of(bolt).List(t.Context())), list(e.Services().List(t.Context()))
	if len(mine) != 1 || mine[0].Name != "lab" || mine[0].Owner != acme || len(mine[0].Keys) != 1 || mine[0].Shadowed {
		t.Errorf("acme has %+v", mine)
	}
	if len(theirs) != 2 || len(theirs[0].Keys) != 2 || theirs[1].Name != "openai" || theirs[1].Shadowed {
		t.Errorf("bolt has %+v", theirs)
	}
	if len(shared) != 1 || !shared[0].Configured {
		t.Errorf("all have %+v", shared)
	}
	if text := fmt.Sprintf("%+v", theirs); strings.Contains(text, secretOf(bolt, "main")) || strings.Contains(text, "sealed") {
		t.Errorf("a secret is read back: %s", text)
	}
	if err := e.Services().Of(acme).Delete(t.Context(), "openai", 1); !fault.Is(err, fault.NotFound) {
		t.Errorf("acme deletes bolt's: %v", err)
	}
	// The installation's administrators cannot reach them by what they are stored under.
	if _, err := e.Services().AddKey(t.Context(), "70/lab", "third", "sk-some-key-0003", "root"); !fault.Is(err, fault.NotFound) {
		t.Errorf("by its stored name: %v", err)
	}
	known := must[[]ai.SharedService](t)(e.SharedServices(t.Context(), bolt))
	if len(known) != 1 || known[0].Name != "openai" || known[0].Kind != "openai" || !known[0].Replaced || !slices.Contains(known[0].Models, "gpt-4.1-mini") {
		t.Errorf("bolt knows of %+v", known)
	}
	models := must[[]ai.KnownModel](t)(e.KnownModels(t.Context(), ofBolt))
	if !slices.Contains(models, ai.KnownModel{Provider: "lab", Own: true, Model: "gpt-4.1-mini"}) || !slices.Contains(models, ai.KnownModel{Provider: "openai", Own: true, Model: "gpt-4.1-mini"}) {
		t.Errorf("bolt may ask %+v", models)
	}
}
