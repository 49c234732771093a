package ai_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/secret"
)

func sealer(t *testing.T, keys ...byte) *secret.Sealer {
	t.Helper()
	all := make([][]byte, len(keys))
	for i, b := range keys {
		all[i] = bytes.Repeat([]byte{b}, secret.KeySize)
	}
	file, err := secret.NewKeyFile(all...)
	if err != nil {
		t.Fatal(err)
	}
	return secret.NewSealer(file)
}

// storing makes a gateway on the house's stores in which services can be stored:
// of the kind test, which p answers for, and of openai.
func (h *house) storing(t *testing.T, s *secret.Sealer, p ai.Provider, made *int) *ai.Gateway {
	t.Helper()
	g, err := ai.New(ai.Options{DB: h.db, Telemetry: h.telemetry, Dir: t.TempDir(), Sealer: s, Now: h.clock, Wait: h.wait,
		Services: map[string]ai.Service{"filed": {Kind: "test", BaseURL: "http://kim:pw@models.example", InHouse: true, Provider: answers("filed"), Keys: []ai.Key{{Alias: "main", Secret: "sk-of-the-file-1234"}}}},
		Kinds: map[string]func(string) (ai.Provider, error){
			"test":   func(string) (ai.Provider, error) { *made++; return p, nil },
			"openai": func(base string) (ai.Provider, error) { return openai.New(openai.Options{BaseURL: base}) },
		},
		Log: slog.New(slog.NewTextHandler(h.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, g)
	return g
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func stored(name string) ai.ModelService {
	return ai.ModelService{Name: name, Kind: "test", Enabled: true}
}

func TestAStoredProviderIsLiveOnTheOtherNodeAndCallsUnderWayAreNotTouched(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		began, goOn := make(chan struct{}), make(chan struct{})
		made := 0
		p := provider(func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
			if r.Model == "slow" {
				close(began)
				<-goOn
			}
			return answers("said with "+r.Key)(ctx, r, on)
		})
		here, there := h.storing(t, sealer(t, 1), p, &made), h.storing(t, sealer(t, 1), p, &made)
		service := must[*ai.ModelService](t)
		entry := ai.Entry{Provider: "lab", Model: "m"}
		ask := func(g *ai.Gateway, e ai.Entry) (string, error) {
			result, err := g.Ask(t.Context(), caller, e, ai.Input{Message: "hello"})
			if err != nil {
				return "", err
			}
			return result.Text, nil
		}
		within := func(what string, good func() bool) {
			t.Helper()
			for end := time.Now().Add(time.Second); !good(); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("not within a second: %s", what)
				}
			}
		}
		if _, err := ask(there, entry); err == nil {
			t.Fatal("there is no such provider yet")
		}
		service(here.Services().Create(t.Context(), stored("lab"), "kim"))
		service(here.Services().AddKey(t.Context(), "lab", "first", "  sk-first-key-0001\n", "kim"))
		if text, err := ask(here, entry); err != nil || text != "said with sk-first-key-0001" {
			t.Fatalf("here: %q, %v", text, err)
		}
		within("live on the other node", func() bool {
			text, err := ask(there, entry)
			return err == nil && text == "said with sk-first-key-0001"
		})
		if made != 2 {
			t.Errorf("%d clients were made, one for each node is enough", made)
		}

		var text string
		var err error
		var wait sync.WaitGroup
		wait.Go(func() { text, err = ask(there, ai.Entry{Provider: "lab", Model: "slow"}) })
		<-began
		p2 := service(here.Services().SetKey(t.Context(), "lab", "first", "sk-second-key-0002", true, "lee"))
		within("the replaced key", func() bool { text, _ := ask(there, entry); return text == "said with sk-second-key-0002" })
		if p2.Keys[0].LastFour != "0002" || p2.Keys[0].UpdatedBy != "lee" || p2.Keys[0].CreatedBy != "kim" {
			t.Errorf("key %+v", p2.Keys[0])
		}
		if err := here.Services().Delete(t.Context(), "lab", 1); !fault.Is(err, fault.Conflict) {
			t.Errorf("of an old version: %v", err)
		}
		if err := here.Services().Delete(t.Context(), "lab", p2.Version); err != nil {
			t.Fatal(err)
		}
		within("deleted", func() bool { _, err := ask(there, entry); return err != nil })
		close(goOn)
		if wait.Wait(); err != nil || text != "said with sk-first-key-0001" {
			t.Errorf("the call under way: %q, %v", text, err)
		}
	})
}

func TestProvidersOfTheConfigurationFileStayAsTheyAre(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	made := 0
	s := h.storing(t, sealer(t, 1), answers("x"), &made).Services()
	refused := func(kind fault.Kind, words string, err error) {
		t.Helper()
		if !fault.Is(err, kind) || !strings.Contains(err.Error(), words) {
			t.Errorf("%v", err)
		}
	}
	_, err := s.Create(t.Context(), stored("filed"), "kim")
	refused(fault.Conflict, "configuration file", err)
	_, err = s.Update(t.Context(), stored("filed"), "kim")
	refused(fault.Denied, "configuration file", err)
	_, err = s.AddKey(t.Context(), "filed", "second", "sk-12345678901", "kim")
	refused(fault.Denied, "configuration file", err)
	refused(fault.Denied, "configuration file", s.Delete(t.Context(), "filed", 0))
	_, err = s.Create(t.Context(), ai.ModelService{Name: "x", Kind: "carrier-pigeon"}, "kim")
	refused(fault.Invalid, "one of openai, test", err)
	_, err = s.Create(t.Context(), stored("a/b"), "kim")
	refused(fault.Invalid, "a name", err)
	all := must[[]ai.ModelService](t)(s.List(t.Context()))
	if len(all) != 1 || !all[0].Configured || !all[0].InHouse || all[0].BaseURL != "http://models.example" || all[0].Keys[0].LastFour != "1234" {
		t.Errorf("%+v", all)
	}
	for _, base := range []string{"ftp://models.example", "models.example", "https://kim:pw@models.example", "http://169.254.169.254/v1", "http://[fe80::1]/", "http://h/?q=1", "file:///etc/passwd", "http://[::ffff:169.254.169.254]/"} {
		p := stored("x")
		p.BaseURL = base
		_, err := s.Create(t.Context(), p, "kim")
		refused(fault.Invalid, "base URL must", err)
	}
	for _, key := range []string{"", " ", "two words", "키", strings.Repeat("x", 5000)} {
		_, err := s.AddKey(t.Context(), "filed", "k", key, "kim")
		refused(fault.Invalid, "a key", err)
	}
}

func TestStoredKeysTakeTurnsWhenOneIsAskedTooOften(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	made, asked := 0, map[string]int{}
	g := h.storing(t, sealer(t, 1), provider(func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		asked[r.Key]++
		if r.Key == "sk-busy-key-0001" {
			return ai.Response{}, failing(ai.RateLimited, time.Hour)
		}
		return answers("good")(ctx, r, on)
	}), &made)
	service := must[*ai.ModelService](t)
	service(g.Services().Create(t.Context(), stored("lab"), "kim"))
	service(g.Services().AddKey(t.Context(), "lab", "busy", "sk-busy-key-0001", "kim"))
	service(g.Services().AddKey(t.Context(), "lab", "free", "sk-free-key-0002", "kim"))
	service(g.Services().AddKey(t.Context(), "lab", "off", "sk-off-key-0003", "kim"))
	service(g.Services().SetKey(t.Context(), "lab", "off", "", false, "kim"))
	for range 40 {
		if result, err := g.Ask(t.Context(), caller, ai.Entry{Provider: "lab", Model: "m"}, ai.Input{Message: "hello"}); err != nil || result.Text != "good" {
			t.Fatalf("%+v, %v", result, err)
		}
	}
	if asked["sk-busy-key-0001"] == 0 || asked["sk-free-key-0002"] != 40 || asked["sk-off-key-0003"] != 0 || len(h.paused) > 0 {
		t.Errorf("asked %v, paused %v", asked, h.paused)
	}
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	health := must[[]ai.KeyHealth](t)(g.KeyHealth(t.Context(), ai.Shared))
	if len(health) != 2 || health[0].Key != "busy" || health[0].Failures != uint64(asked["sk-busy-key-0001"]) || health[0].LastClass != "rate_limited" || health[0].LastOK != nil ||
		health[1].Calls != 40 || health[1].Failures != 0 || health[1].LastOK == nil || health[1].LastFailure != nil {
		t.Errorf("health %+v", health)
	}
}

func TestAProviderNamesTheRolesWhoseChainsUseIt(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	made := 0
	g := h.storing(t, sealer(t, 1), answers("x"), &made)
	must[*ai.ModelService](t)(g.Services().Create(t.Context(), stored("lab"), "kim"))
	r := must[*ai.Role](t)(g.Roles().Create(t.Context(), ai.Role{Code: "uses-lab", SystemMessage: "Hi.", Chain: []ai.Entry{{Provider: "lab", Model: "m"}}}, "kim"))
	r.Chain = nil // in production the version before stays
	must[*ai.Role](t)(g.Roles().Update(t.Context(), *r, false, ai.Meant, "kim"))
	if p := must[*ai.ModelService](t)(g.Services().Get(t.Context(), "lab")); !slices.Equal(p.Roles, []string{"uses-lab"}) {
		t.Errorf("roles %v", p.Roles)
	}
}

func TestAfterTheMasterKeyIsChangedStoredKeysAreWrappedAnew(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	made := 0
	says := provider(func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		return answers(r.Key)(ctx, r, on)
	})
	g := h.storing(t, sealer(t, 1), says, &made)
	must[*ai.ModelService](t)(g.Services().Create(t.Context(), stored("lab"), "kim"))
	must[*ai.ModelService](t)(g.Services().AddKey(t.Context(), "lab", "k", "sk-first-key-0001", "kim"))
	if err := h.storing(t, sealer(t, 2, 1), says, &made).Services().Rewrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	entry := ai.Entry{Provider: "lab", Model: "m"}
	if result, err := h.storing(t, sealer(t, 2), says, &made).Ask(t.Context(), caller, entry, ai.Input{Message: "hello"}); err != nil || result.Text != "sk-first-key-0001" {
		t.Errorf("%+v, %v", result, err)
	}
	// A key that does not open takes its provider out, and nothing else.
	lost := h.storing(t, sealer(t, 3), says, &made)
	if _, err := lost.Ask(t.Context(), caller, entry, ai.Input{Message: "hello"}); err == nil {
		t.Error("asked without its key")
	}
	if result, err := lost.Ask(t.Context(), caller, ai.Entry{Provider: "filed", Model: "m"}, ai.Input{Message: "hello"}); err != nil || result.Text != "filed" {
		t.Errorf("%+v, %v", result, err)
	}
	if _, err := lost.CheckKey(t.Context(), kim, ai.Shared, "lab", "k", "m"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "replace it") {
		t.Errorf("check: %v", err)
	}
}

func TestNoSecretIsInTheDatabaseTheLogOrAnError(t *testing.T) {
	const first, second = "sk-proj-FirstSecret-abcdefgh", "sk-proj-SecondSecret-ijklmnop"
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s.","type":%q,"code":%q}}`, key, key, "no "+key)
	}))
	defer echo.Close()
	dsn := metadbtest.SQLiteDSN(t)
	h := newHouse(t, metadbtest.Open(t, dsn))
	made := 0
	g := h.storing(t, sealer(t, 1), answers("x"), &made)
	var shown bytes.Buffer // what the API would say
	show := func(v any, err error) { _, _ = fmt.Fprintf(&shown, "%+v %v\n", v, err) }
	p := ai.ModelService{Name: "lab", Kind: "openai", BaseURL: echo.URL + "/v1", Enabled: true}
	show(g.Services().Create(t.Context(), p, "kim"))
	show(g.Services().AddKey(t.Context(), "lab", "k", first, "kim"))
	show(g.Ask(t.Context(), caller, ai.Entry{Provider: "lab", Model: "m"}, ai.Input{Message: "hello"}))
	show(g.Services().SetKey(t.Context(), "lab", "k", second, true, "kim"))
	show(g.Ask(t.Context(), caller, ai.Entry{Provider: "lab", Model: "m"}, ai.Input{Message: "hello"}))
	check := must[*ai.KeyCheck](t)(g.CheckKey(t.Context(), kim, ai.Shared, "lab", "k", ""))
	if check.OK || check.Class != ai.BadKey || check.Status != http.StatusUnauthorized {
		t.Errorf("check %+v", check)
	}
	show(check, nil)
	show(g.CheckKey(t.Context(), kim, ai.Shared, "lab", "k", "m"))
	show(g.Services().List(t.Context()))
	show(h.storing(t, sealer(t, 2), answers("x"), &made).Ask(t.Context(), caller, ai.Entry{Provider: "lab", Model: "m"}, ai.Input{Message: "hello"}))
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	page := must[*ai.CallPage](t)(g.Calls(t.Context(), shop, ai.CallQuery{}))
	for _, c := range page.Items {
		show(g.Call(t.Context(), shop, c.CallID))
	}
	var files []byte
	paths, _ := filepath.Glob(strings.TrimPrefix(dsn, "sqlite:") + "*") // with its journal
	for _, path := range paths {
		files = append(files, must[[]byte](t)(os.ReadFile(path))...)
	}
	if !bytes.Contains(files, []byte("env1:")) || len(page.Items) < 2 || !strings.Contains(h.logs.String(), "a key was checked") || !strings.Contains(shown.String(), "does not accept the key") {
		t.Fatalf("what is looked through is not what was stored: %d files, %d calls, log %s, shown %s", len(paths), len(page.Items), h.logs, shown.String())
	}
	for _, key := range []string{first, second, "FirstSecret", "SecondSecret"} {
		for where, text := range map[string][]byte{"the database": files, "the log": h.logs.Bytes(), "an answer": shown.Bytes()} {
			if bytes.Contains(text, []byte(key)) {
				t.Errorf("%s is in %s", key, where)
			}
		}
	}
}

func TestACheckSaysPlainlyWhatIsWrongWithAKey(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	made := 0
	g := h.storing(t, sealer(t, 1), answers("x"), &made)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	defer secure.Close()
	quota := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"gpt-x","object":"model"}]}`)
			return
		}
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`)
	}))
	defer quota.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	n := 0
	f := func(base, model string, ok bool, class ai.Class, code string) {
		t.Helper()
		n++
		name := fmt.Sprintf("lab-%d", n)
		must[*ai.ModelService](t)(g.Services().Create(t.Context(), ai.ModelService{Name: name, Kind: "openai", BaseURL: base}, "kim"))
		must[*ai.ModelService](t)(g.Services().AddKey(t.Context(), name, "k", "sk-some-key-0001", "kim"))
		check := must[*ai.KeyCheck](t)(g.CheckKey(t.Context(), kim, ai.Shared, name, "k", model))
		if check.OK != ok || check.Class != class || check.Code != code || check.Message == "" {
			t.Errorf("%s %s: %+v", base, model, check)
		}
	}
	f(h.first.URL, "", false, ai.BadKey, "invalid_api_key")
	f(gone.URL, "", false, ai.Transport, "refused")
	f("http://no-such-host.invalid", "", false, ai.Transport, "host_unknown")
	f(secure.URL, "", false, ai.Transport, "tls")
	f(strings.Replace(quota.URL, "http:", "https:", 1), "", false, ai.Transport, "tls")
	f(quota.URL, "", true, "", "")
	f(quota.URL, "gpt-x", false, ai.QuotaExceeded, "insufficient_quota")
	must[*ai.ModelService](t)(g.Services().SetKey(t.Context(), "lab-1", "k", "sk-secret-key", false, "kim"))
	if check := must[*ai.KeyCheck](t)(g.CheckKey(t.Context(), kim, ai.Shared, "lab-1", "k", "")); !check.OK || len(check.Models) == 0 {
		t.Errorf("a key that is right, and off: %+v", check)
	}
}

func TestTheCheckOfAKeyThatAsksAModelIsACallOfWhoAskedForIt(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	says := provider(func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		if r.Key == "sk-wrong-key-0002" {
			return ai.Response{}, ai.Fail(ai.BadKey, "it does not accept the key")
		}
		response, err := answers("OK.")(ctx, r, on)
		response.Usage = ai.Usage{InputTokens: 10, OutputTokens: 2}
		return response, err
	})
	made := 0
	g := h.storing(t, sealer(t, 1), says, &made)
	must[*ai.ModelService](t)(g.Services().Create(t.Context(), ai.ModelService{Name: "lab", Kind: "test", Enabled: false}, "kim"))
	must[*ai.ModelService](t)(g.Services().AddKey(t.Context(), "lab", "good", "sk-right-key-0001", "kim"))
	must[*ai.ModelService](t)(g.Services().AddKey(t.Context(), "lab", "bad", "sk-wrong-key-0002", "kim"))
	must[*ai.Price](t)(g.Roles().SetPrice(t.Context(), ai.Price{Provider: "lab", Model: "m", Input: 10, Output: 20}, "kim"))
	budget := h.budget(t, ai.Budget{Scope: "purpose", Of: ai.PurposeCheck, Measure: "requests", Period: "day", Limit: 2})

	check := must[*ai.KeyCheck](t)(g.CheckKey(t.Context(), kim, ai.Shared, "lab", "good", "m"))
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	call := must[*ai.Call](t)(g.Call(t.Context(), shop, check.CallID))
	if !check.OK || call.Purpose != ai.PurposeCheck || call.Person != kim.Person || call.CallerName != "kim" || call.Status != ai.CallOK || call.Message != "Say OK." || call.Answer != "OK." ||
		call.Usage.InputTokens != 10 || !costs(call.Usage.CostUSD, (10*10.0+2*20)/1e6) || len(call.Attempts) != 1 || call.Attempts[0].Key != "good" {
		t.Errorf("checked %+v and logged %+v", check, call)
	}
	check = must[*ai.KeyCheck](t)(g.CheckKey(t.Context(), kim, ai.Shared, "lab", "bad", "m"))
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	call = must[*ai.Call](t)(g.Call(t.Context(), shop, check.CallID))
	if check.OK || check.Class != ai.BadKey || call.Status != ai.CallExhausted || call.Attempts[0].Class != ai.BadKey || call.Usage.CostUSD != nil {
		t.Errorf("checked %+v and logged %+v", check, call)
	}
	if _, err := g.CheckKey(t.Context(), kim, ai.Shared, "lab", "good", "m"); !fault.Is(err, fault.RateLimited) {
		t.Errorf("the third check of two a day: %v", err)
	}
	if uses := must[[]ai.BudgetUse](t)(h.uses(t, budget.ID)); len(uses) != 1 || uses[0].Used != 2 {
		t.Errorf("used %+v", uses)
	}
	if page := must[*ai.CallPage](t)(g.Calls(t.Context(), shop, ai.CallQuery{})); page.Total != 2 {
		t.Errorf("%d calls are logged", page.Total)
	}
}
