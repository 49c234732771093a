package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestTheSessionCookieIsHardToSteal(t *testing.T) {
	f := func(baseURL, host, name string, secure bool) {
		t.Helper()
		h := newHouse(t, metadbtest.SQLite(t), nil, func(o *Options) { o.BaseURL = baseURL })
		answer := h.anonymous().do(http.MethodPost, "/api/v1/session", Login{Email: h.first.Email, Password: h.first.Password}, []string{"Host", host})
		h.decode(answer, http.StatusOK, nil)
		c := answer.Result().Cookies()[0]
		if c.Name != name || c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("%s at %s: %+v", baseURL, host, c)
		}
	}
	f("", "127.0.0.1:8080", "mtx_session", false)
	f("", "localhost:8080", "mtx_session", false)
	f("http://[::1]:8080", "[::1]:8080", "mtx_session", false)
	f("https://matrix.example.com", "matrix.example.com", "__Host-mtx_session", true)
}

func TestAPasswordDoesNotTravelInTheClear(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	answer := h.anonymous().do(http.MethodPost, "/api/v1/session", Login{Email: h.first.Email, Password: h.first.Password}, []string{"Host", "matrix.example.com"})
	h.problem(answer, http.StatusForbidden)
}

func TestLoggingOutEndsTheSessionEvenOnceItIsOver(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	c := h.admin()
	h.decode(c.do(http.MethodGet, "/api/v1/me", nil, nil), http.StatusOK, nil)
	for range 2 {
		answer := c.do(http.MethodDelete, "/api/v1/session", nil, nil)
		if answer.Code != http.StatusOK || answer.Result().Cookies()[0].MaxAge >= 0 {
			t.Fatalf("%d %v", answer.Code, answer.Result().Cookies())
		}
	}
	p := h.problem(c.do(http.MethodGet, "/api/v1/me", nil, nil), http.StatusUnauthorized)
	if p.Kind != "unauthenticated" {
		t.Errorf("%+v", p)
	}
}

func TestFailedLoginsAreToldToWait(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	for range 5 {
		h.problem(h.anonymous().do(http.MethodPost, "/api/v1/session", Login{Email: h.first.Email, Password: "wrong"}, nil), http.StatusUnauthorized)
	}
	answer := h.anonymous().do(http.MethodPost, "/api/v1/session", Login{Email: h.first.Email, Password: h.first.Password}, nil)
	h.problem(answer, http.StatusTooManyRequests)
	if answer.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestAnotherSitesPageCannotActForTheUser(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, func(o *Options) { o.BaseURL = "http://matrix.localhost" })
	c := h.admin()
	f := func(status int, headers ...string) {
		t.Helper()
		if answer := c.do(http.MethodPost, "/api/v1/orgs", Named{"x"}, headers); answer.Code != status {
			t.Errorf("%v: %d, want %d", headers, answer.Code, status)
		}
	}
	f(http.StatusForbidden, "Sec-Fetch-Site", "cross-site")
	f(http.StatusForbidden, "Sec-Fetch-Site", "same-site")
	f(http.StatusForbidden, "Origin", "https://evil.example")
	f(http.StatusCreated, "Sec-Fetch-Site", "same-origin")
	f(http.StatusCreated, "Origin", "http://matrix.localhost") // behind a proxy the Host may differ
	f(http.StatusCreated)                                      // no browser
	if answer := c.do(http.MethodGet, "/api/v1/orgs", nil, []string{"Sec-Fetch-Site", "cross-site"}); answer.Code != http.StatusOK {
		t.Errorf("reading: %d", answer.Code) // the browser keeps the answer from the other site
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	for _, path := range []string{"/api/v1/version", "/api/v1/me", "/api/v1/nowhere", "/healthz"} {
		header := h.anonymous().do(http.MethodGet, path, nil, nil).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "same-origin", "X-Request-Id": "",
		} {
			if got := header.Get(name); got == "" || !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

func TestOverHTTPSTheBrowserIsToldToStayThere(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, func(o *Options) { o.BaseURL = "https://matrix.example.com" })
	if got := h.anonymous().do(http.MethodGet, "/api/v1/version", nil, nil).Header().Get("Strict-Transport-Security"); got == "" {
		t.Error("no Strict-Transport-Security")
	}
}

func TestARequestThatTakesTooLongIsAnsweredAsUnavailable(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	p := problem(t.Context(), h.server.log, fmt.Errorf("list: %w", context.DeadlineExceeded), false)
	if p.Status != http.StatusServiceUnavailable || p.header.Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
}

func TestEveryKindOfFaultHasItsStatus(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	for kind := fault.Internal; kind <= fault.Unavailable; kind++ {
		p := problem(t.Context(), h.server.log, fault.New(kind, "because").WithField("f").WithRetryAfter(1500*time.Millisecond), false)
		if p.Status < 400 || p.Kind != kind.String() || p.Title == "" {
			t.Errorf("%s: %+v", kind, p)
		}
		if kind == fault.Internal && (p.Field != "" || p.Detail == "because") {
			t.Errorf("an internal error shows its insides: %+v", p)
		}
		if kind == fault.RateLimited && p.header.Get("Retry-After") != "2" {
			t.Errorf("Retry-After %q, want 2: never earlier than asked", p.header.Get("Retry-After"))
		}
	}
}

func TestAnEditNamesTheVersionItWasMadeFrom(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	c := h.admin()
	read := c.do(http.MethodGet, h.projectPath(""), nil, nil)
	etag := read.Header().Get("ETag")
	if read.Code != http.StatusOK || etag != `"v1"` {
		t.Fatalf("%d, ETag %q", read.Code, etag)
	}
	set := tenant.ProjectSettings{Name: "shop", Language: "en", Retention: project.Retention{Traces: 7, Logs: 3, Metrics: 30}}
	h.problem(c.do(http.MethodPut, h.projectPath(""), set, nil), http.StatusPreconditionRequired)
	h.problem(c.do(http.MethodPut, h.projectPath(""), set, []string{"If-Match", "banana"}), http.StatusPreconditionFailed)
	answer := c.do(http.MethodPut, h.projectPath(""), set, []string{"If-Match", etag})
	var p tenant.Project
	h.decode(answer, http.StatusOK, &p)
	if p.Name != "shop" || answer.Header().Get("ETag") != `"v2"` {
		t.Errorf("%+v, ETag %q", p, answer.Header().Get("ETag"))
	}
	h.problem(c.do(http.MethodPut, h.projectPath(""), set, []string{"If-Match", etag}), http.StatusPreconditionFailed)

	// A name that is taken is a conflict, not a stale version.
	other, err := h.tenants.CreateProject(t.Context(), tenant.Actor{UserID: 1}, h.first.Group.ID, tenant.ProjectSettings{Name: "taken"}, nil)
	h.must(err)
	set.Name = other.Name
	h.problem(c.do(http.MethodPut, h.projectPath(""), set, []string{"If-Match", `"v2"`}), http.StatusConflict)
}

func TestABadRequestSaysWhatIsWrongWithoutRepeatingIt(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	long := strings.Repeat("hunter2", 60)
	answer := h.anonymous().do(http.MethodPost, "/api/v1/session", Login{Email: h.first.Email, Password: long}, nil)
	p := h.problem(answer, http.StatusUnprocessableEntity)
	if len(p.Violations) != 1 || p.Violations[0].Field != "body.password" || strings.Contains(answer.Body.String(), "hunter2") {
		t.Errorf("%s", answer.Body)
	}
	c := h.admin()
	p = h.problem(c.do(http.MethodPut, h.projectPath(""), map[string]any{"name": "x", "color": "red"}, []string{"If-Match", `"v1"`}), http.StatusUnprocessableEntity)
	if len(p.Violations) == 0 || p.Violations[0].Field != "body.color" {
		t.Errorf("an unknown field: %+v", p)
	}
	p = h.problem(c.do(http.MethodPost, h.projectPath("/keys"), Named{"a\x00b"}, nil), http.StatusUnprocessableEntity)
	if p.Field != "name" {
		t.Errorf("%+v", p)
	}
}

func TestARequestThatIsTooLargeIsCutOff(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	answer := h.anonymous().do(http.MethodPost, "/api/v1/session", Login{Email: "a", Password: strings.Repeat("x", 2<<20)}, nil)
	if p := h.problem(answer, http.StatusRequestEntityTooLarge); p.Kind != "too_large" {
		t.Errorf("%+v", p)
	}
}

func TestAnInternalErrorIsLoggedOnceAndShownAsAnIDOnly(t *testing.T) {
	db := metadbtest.SQLite(t)
	h := newHouse(t, db, nil, nil)
	c := h.admin()
	_, err := db.Exec(t.Context(), `DROP TABLE ingest_key`)
	h.must(err)
	p := h.problem(c.do(http.MethodGet, h.projectPath("/keys"), nil, nil), http.StatusInternalServerError)
	if p.RequestID == "" || strings.Contains(p.Detail, "ingest_key") {
		t.Errorf("%+v", p)
	}
	failures := 0
	for line := range strings.Lines(h.log.String()) {
		if strings.Contains(line, "request failed") && strings.Contains(line, p.RequestID) && strings.Contains(line, "ingest_key") {
			failures++
		}
	}
	if failures != 1 {
		t.Errorf("logged %d times:\n%s", failures, h.log.String())
	}
}

func TestAPanicCostsOneRequestOnly(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, func(o *Options) {
		o.Ready = []Check{{"mine", func(context.Context) error { panic("boom") }}}
	})
	p := h.problem(h.anonymous().do(http.MethodGet, "/readyz", nil, nil), http.StatusInternalServerError)
	if strings.Contains(p.Detail, "boom") || !strings.Contains(h.log.String(), "boom") {
		t.Errorf("%+v\n%s", p, h.log.String())
	}
	h.decode(h.anonymous().do(http.MethodGet, "/healthz", nil, nil), http.StatusOK, nil)
}

func TestReadinessNamesWhatIsDownAndKeepsTheReasonInTheLog(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, func(o *Options) {
		o.Ready = []Check{
			{"metadata", func(context.Context) error { return nil }},
			{"engine", func(context.Context) error { return errors.New("dial tcp 10.1.2.3:9000") }},
		}
	})
	answer := h.anonymous().do(http.MethodGet, "/readyz", nil, nil)
	var health Health
	h.decode(answer, http.StatusServiceUnavailable, &health)
	if len(health.Checks) != 2 || !health.Checks[0].OK || health.Checks[1].OK || strings.Contains(answer.Body.String(), "10.1.2.3") {
		t.Errorf("%s", answer.Body)
	}
}

func TestNoSecretReachesTheLog(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	c := h.admin()
	token := c.withToken(tenant.ScopeProjectRead)
	h.decode(token.do(http.MethodGet, h.projectPath("?password=hunter2"), nil, nil), http.StatusOK, nil)
	h.anonymous().do(http.MethodPost, "/api/v1/session", Login{Email: h.first.Email, Password: "hunter2"}, nil)
	for _, secret := range []string{c.cookie.Value, token.token, h.first.Password, h.first.Key, "hunter2"} {
		if strings.Contains(h.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if !strings.Contains(h.log.String(), `"token_id":1`) {
		t.Error("the log does not say which token asked")
	}
}

func TestOnlyTrustedProxiesSayWhoCalls(t *testing.T) {
	s := &server{opts: Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	f := func(peer, forwarded, want string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr = peer
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		if got := s.address(r); got != want {
			t.Errorf("%s via %q is %s, want %s", peer, forwarded, got, want)
		}
	}
	f("203.0.113.7:1000", "", "203.0.113.7")
	f("203.0.113.7:1000", "198.51.100.1", "203.0.113.7") // nobody we trust
	f("10.0.0.1:1000", "198.51.100.1", "198.51.100.1")
	f("10.0.0.1:1000", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1") // what the client invented is further left
	f("10.0.0.1:1000", "rubbish", "10.0.0.1")
	f("[::ffff:10.0.0.1]:1000", "2001:db8::1", "2001:db8::1")
}

func TestAnIngestKeyReadsNothing(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	c := &client{h: h, token: h.first.Key}
	for _, path := range []string{"/api/v1/me", "/api/v1/projects", h.projectPath(""), h.projectPath("/setup")} {
		h.problem(c.do(http.MethodGet, path, nil, nil), http.StatusUnauthorized)
	}
}

func TestAChannelsSecretNeverComesBack(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	c := h.admin()
	made := c.do(http.MethodPost, h.projectPath("/channels"),
		map[string]any{"name": "ops", "kind": "sink", "enabled": true, "config": map[string]string{"secret": "hunter2", "room": "ops"}}, nil)
	h.decode(made, http.StatusCreated, nil)
	for _, path := range []string{"/channels", "/channels/1"} {
		answer := c.do(http.MethodGet, h.projectPath(path), nil, nil)
		h.decode(answer, http.StatusOK, nil)
		if strings.Contains(answer.Body.String()+made.Body.String(), "hunter2") || !strings.Contains(answer.Body.String(), `"room":"ops"`) {
			t.Errorf("%s: %s", path, answer.Body)
		}
	}
	h.decode(c.do(http.MethodPost, h.projectPath("/channels/1/test"), nil, nil), http.StatusNoContent, nil)
	if len(h.sent.sent) != 1 {
		t.Errorf("sent %v", h.sent.sent)
	}
}

func TestARuleSendsToChannelsOfItsOwnProjectOnly(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	c := h.admin()
	body := RuleRequest{Name: "slow", Kind: rule.SlowSQL, Enabled: true, Params: rule.Params{"threshold_ms": 8000.0}, Count: 1, WindowMinutes: 10, QuietMinutes: 10}
	foreign, err := h.tenants.CreateProject(t.Context(), tenant.Actor{UserID: 1}, h.first.Group.ID, tenant.ProjectSettings{Name: "foreign"}, nil)
	h.must(err)
	theirs := fmt.Sprintf("/api/v1/projects/%d/channels", foreign.ID)
	ops := map[string]any{"name": "ops", "kind": "sink", "enabled": true, "config": map[string]string{}}
	var channel notify.Target
	h.decode(c.do(http.MethodPost, theirs, ops, nil), http.StatusCreated, &channel)
	body.Channels = []int64{channel.ID}
	if p := h.problem(c.do(http.MethodPost, h.projectPath("/rules"), body, nil), http.StatusUnprocessableEntity); p.Field != "channels" {
		t.Errorf("%+v", p)
	}
	h.decode(c.do(http.MethodPost, h.projectPath("/channels"), ops, nil), http.StatusCreated, &channel)
	body.Channels = []int64{channel.ID}
	var made rule.Rule
	h.decode(c.do(http.MethodPost, h.projectPath("/rules"), body, nil), http.StatusCreated, &made)
	if made.UpdatedBy != "admin" || made.Version != 1 {
		t.Errorf("%+v", made)
	}
}

func TestAChannelThatRulesNameIsNotDeleted(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	c := h.admin()
	var channel notify.Target
	h.decode(c.do(http.MethodPost, h.projectPath("/channels"), map[string]any{"name": "ops", "kind": "sink", "enabled": true, "config": map[string]string{}}, nil), http.StatusCreated, &channel)
	body := RuleRequest{Name: "slow", Kind: rule.SlowSQL, Enabled: true, Params: rule.Params{"threshold_ms": 8000.0}, Count: 1, WindowMinutes: 10, QuietMinutes: 10, Channels: []int64{channel.ID}}
	var made rule.Rule
	h.decode(c.do(http.MethodPost, h.projectPath("/rules"), body, nil), http.StatusCreated, &made)
	path := h.projectPath(fmt.Sprintf("/channels/%d", channel.ID))
	if p := h.problem(c.do(http.MethodDelete, path, nil, nil), http.StatusConflict); !strings.Contains(p.Detail, `"slow"`) {
		t.Errorf("%+v", p)
	}
	h.decode(c.do(http.MethodDelete, h.projectPath(fmt.Sprintf("/rules/%d", made.ID)), nil, []string{"If-Match", `"v1"`}), http.StatusNoContent, nil)
	h.decode(c.do(http.MethodDelete, path, nil, nil), http.StatusNoContent, nil)
}

func TestOnlyWhoEditsAChannelSeesItsWholeAddress(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	c := h.admin()
	var channel notify.Target
	h.decode(c.do(http.MethodPost, h.projectPath("/channels"), map[string]any{"name": "ops", "kind": "sink", "enabled": true,
		"config": map[string]string{"url": "https://hooks.example.com/path-secret?q=query-secret"}}, nil), http.StatusCreated, &channel)
	one, list := h.projectPath(fmt.Sprintf("/channels/%d", channel.ID)), h.projectPath("/channels")
	for _, reader := range []*client{c.withToken(tenant.ScopeProjectRead), h.viewer()} {
		for _, path := range []string{one, list} {
			answer := reader.do(http.MethodGet, path, nil, nil)
			h.decode(answer, http.StatusOK, nil)
			if text := answer.Body.String(); strings.Contains(text, "-secret") || !strings.Contains(text, "https://hooks.example.com") {
				t.Errorf("%s: %s", path, text)
			}
		}
	}
	for _, path := range []string{one, list} {
		if text := c.do(http.MethodGet, path, nil, nil).Body.String(); !strings.Contains(text, "path-secret") {
			t.Errorf("the editor does not see it: %s", text)
		}
	}
}

func TestAMetadataDatabaseThatIsDownIsNotOurFault(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db, nil, nil)
		c := h.admin()
		token := c.withToken(tenant.ScopeProjectRead)
		h.must(db.Close())
		for _, answer := range []*httptest.ResponseRecorder{
			c.do(http.MethodGet, h.projectPath("/rules"), nil, nil),
			token.do(http.MethodGet, h.projectPath("/rules"), nil, nil),
			h.anonymous().do(http.MethodPost, "/api/v1/session", Login{Email: h.first.Email, Password: h.first.Password}, nil),
		} {
			if p := h.problem(answer, http.StatusServiceUnavailable); p.Kind != "unavailable" || answer.Header().Get("Retry-After") == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}

func TestAnUnknownPathOfTheAPIIsAProblemAndNotAScreen(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, func(o *Options) {
		o.UI = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
	})
	h.problem(h.anonymous().do(http.MethodGet, "/api/v1/nowhere", nil, nil), http.StatusNotFound)
	wrong := h.anonymous().do(http.MethodPost, "/api/v1/projects/1/prometheus/api/v1/metadata", nil, nil)
	h.problem(wrong, http.StatusMethodNotAllowed)
	if allow := wrong.Header().Get("Allow"); allow != http.MethodGet {
		t.Errorf("Allow: %q", allow)
	}
	if answer := h.anonymous().do(http.MethodGet, "/incidents/1", nil, nil); answer.Body.String() != "<html>" {
		t.Errorf("%s", answer.Body)
	}
}
