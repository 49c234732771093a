package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/fake/idp"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/tenant/oidc"
)

// browser keeps cookies between requests, as one does.
type browser struct {
	h       *house
	cookies map[string]*http.Cookie
}

func (h *house) browser() *browser { return &browser{h, map[string]*http.Cookie{}} }

func (b *browser) open(path string) *httptest.ResponseRecorder {
	b.h.t.Helper()
	r := httptest.NewRequestWithContext(b.h.t.Context(), http.MethodGet, path, nil)
	r.Host = "127.0.0.1:8080"
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	answer := httptest.NewRecorder()
	b.h.handler.ServeHTTP(answer, r)
	for _, c := range answer.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c
		}
	}
	return answer
}

// leads checks that an answer sends the browser on, and returns where.
func (b *browser) leads(path string) *url.URL {
	b.h.t.Helper()
	answer := b.open(path)
	if answer.Code != http.StatusSeeOther {
		b.h.t.Fatalf("%s: %d %s", path, answer.Code, answer.Body)
	}
	at, err := url.Parse(answer.Header().Get("Location"))
	b.h.must(err)
	return at
}

// withIDP is a house with the provider corp, which is a real server.
func withIDP(t *testing.T, change func(*house, *OIDCProviderRequest)) (*house, *idp.Server) {
	t.Helper()
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	server := idp.Start(t, "http://127.0.0.1:8080/api/v1/session/oidc/corp/callback")
	body := oidcBody()
	body.Issuer, body.ClientID, body.ClientSecret, body.Enabled, body.CreateUsers = server.URL, idp.ClientID, idp.ClientSecret, true, true
	if change != nil {
		change(h, &body)
	}
	var made OIDCProvider
	answer := h.admin().do(http.MethodPost, "/api/v1/oidc-providers", NewOIDCProviderRequest{"corp", body}, nil)
	h.decode(answer, http.StatusCreated, &made)
	if made.RedirectURI != "http://127.0.0.1:8080/api/v1/session/oidc/corp/callback" || strings.Contains(answer.Body.String(), idp.ClientSecret) || !made.HasSecret {
		t.Errorf("%s", answer.Body)
	}
	server.Set(idp.Person{Subject: "ann", Email: "ann@corp.example", Verified: true, Name: "Ann Lee"})
	return h, server
}

func TestALoginAtAProviderEndsWhereItBegan(t *testing.T) {
	h, server := withIDP(t, nil)
	var buttons Page[oidc.Button]
	h.decode(h.anonymous().do(http.MethodGet, "/api/v1/session/providers", nil, nil), http.StatusOK, &buttons)
	if len(buttons.Items) != 1 || buttons.Items[0].Code != "corp" {
		t.Fatalf("%+v", buttons)
	}
	b := h.browser()
	out := b.leads("/api/v1/session/oidc/corp?to=" + url.QueryEscape("/projects/1/incidents?state=open"))
	if len(b.cookies) != 1 {
		t.Fatalf("%v", b.cookies)
	}
	for name, c := range b.cookies {
		if !strings.HasPrefix(name, "mtx_oidc_") || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("%+v", c)
		}
	}
	back, err := server.SignIn(t.Context(), out.String(), "ann")
	h.must(err)
	if at := b.leads(back.RequestURI()); at.String() != "/projects/1/incidents?state=open" {
		t.Errorf("leads to %s", at)
	}
	if len(b.cookies) != 1 || b.cookies["mtx_session"] == nil || !b.cookies["mtx_session"].HttpOnly {
		t.Fatalf("%v", b.cookies)
	}
	c := &client{h: h, cookie: b.cookies["mtx_session"]}
	var me Me
	h.decode(c.do(http.MethodGet, "/api/v1/me", nil, nil), http.StatusOK, &me)
	if me.User.Email != "ann@corp.example" || me.User.System {
		t.Errorf("%+v", me)
	}
	// The address of the callback is worth nothing, here or elsewhere.
	for _, again := range []*browser{b, h.browser()} {
		if at := again.leads(back.RequestURI()); at.Path != "/login" || at.Query().Get("failure") != "expired" {
			t.Errorf("leads to %s", at)
		}
	}
	for _, plain := range []string{idp.ClientSecret, back.Query().Get("code"), back.Query().Get("state"), c.cookie.Value} {
		if strings.Contains(h.log.String(), plain) {
			t.Error("the log holds a secret")
		}
	}
}

func TestSigningOutEndsTheSessionAtTheProviderTooWhereThatIsWanted(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		h, server := withIDP(t, func(_ *house, r *OIDCProviderRequest) { r.SignOut = wanted })
		b := h.browser()
		back, err := server.SignIn(t.Context(), b.leads("/api/v1/session/oidc/corp").String(), "ann")
		h.must(err)
		b.leads(back.RequestURI())
		c := &client{h: h, cookie: b.cookies["mtx_session"]}
		var out SignedOut
		h.decode(c.do(http.MethodDelete, "/api/v1/session", nil, nil), http.StatusOK, &out)
		h.problem(c.do(http.MethodGet, "/api/v1/me", nil, nil), http.StatusUnauthorized)
		if (out.LeadsTo != "") != wanted {
			t.Errorf("wanted %t, leads to %q", wanted, out.LeadsTo)
		}
		if !wanted {
			continue
		}
		// The provider takes what it is shown, and leads back to the login page.
		home, err := server.Open(t.Context(), out.LeadsTo)
		h.must(err)
		if home == nil || home.Scheme+"://"+home.Host+home.Path != "http://127.0.0.1:8080/login" {
			t.Errorf("the provider leads to %v", home)
		}
		if strings.Contains(h.log.String(), "id_token_hint") {
			t.Error("the log holds an ID token")
		}
	}
}

func TestALoginAtAProviderIsInTheAuditLogWithWhatItChanged(t *testing.T) {
	var org int64
	h, server := withIDP(t, func(h *house, r *OIDCProviderRequest) {
		var made tenant.Organisation
		h.decode(h.admin().do(http.MethodPost, "/api/v1/orgs", Named{"team"}, nil), http.StatusCreated, &made)
		org = made.ID
		r.Mappings = []oidc.Mapping{{Value: "sre", OrgID: org, Role: tenant.Editor}}
	})
	signIn := func(groups ...string) {
		t.Helper()
		server.Set(idp.Person{Subject: "ann", Email: "ann@corp.example", Verified: true, Name: "Ann Lee", Groups: groups})
		b := h.browser()
		back, err := server.SignIn(t.Context(), b.leads("/api/v1/session/oidc/corp").String(), "ann")
		h.must(err)
		b.leads(back.RequestURI())
	}
	signIn("sre")
	signIn("sre")
	signIn()
	h.browser().leads("/api/v1/session/oidc/corp/callback?state=x&code=y")
	var got []string
	for _, e := range h.audit("operation=finish-oidc-login") {
		got = append(got, fmt.Sprint(e.Actor.Name, " ", e.Object, " ", e.Outcome, " ", e.Problem, " ", e.Summary["changed"]))
	}
	want := []string{
		" provider/corp failed expired ", fmt.Sprint("Ann Lee provider/corp done  no role in organisation ", org), "Ann Lee provider/corp done  ",
		fmt.Sprint("Ann Lee provider/corp done  account made; editor in organisation ", org),
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestTwoTabsDoNotEndOneAnothersLogin(t *testing.T) {
	h, server := withIDP(t, nil)
	b := h.browser()
	first, second := b.leads("/api/v1/session/oidc/corp?to=/one"), b.leads("/api/v1/session/oidc/corp?to=/two")
	for want, out := range map[string]*url.URL{"/one": first, "/two": second} {
		back, err := server.SignIn(t.Context(), out.String(), "ann")
		h.must(err)
		if at := b.leads(back.RequestURI()); at.String() != want {
			t.Errorf("leads to %s, want %s", at, want)
		}
	}
}

func TestEachFailureLeadsToThePageThatTellsIt(t *testing.T) {
	h, server := withIDP(t, func(_ *house, r *OIDCProviderRequest) { r.Domains = []string{"corp.example"} })
	f := func(reason string, p idp.Person) {
		t.Helper()
		server.Set(p)
		b := h.browser()
		back, err := server.SignIn(t.Context(), b.leads("/api/v1/session/oidc/corp?to=/incidents").String(), p.Subject)
		h.must(err)
		at := b.leads(back.RequestURI())
		if q := at.Query(); at.Path != "/login" || q.Get("failure") != reason || q.Get("to") != "/incidents" || len(b.cookies) != 0 {
			t.Errorf("%s: leads to %s with %v", reason, at, b.cookies)
		}
	}
	f("unverified", idp.Person{Subject: "a", Email: "a@corp.example"})
	f("domain", idp.Person{Subject: "b", Email: "b@else.example", Verified: true})
	b := h.browser()
	state := b.leads("/api/v1/session/oidc/corp").Query().Get("state")
	at := b.leads("/api/v1/session/oidc/corp/callback?error=access_denied&state=" + state)
	if at.Query().Get("failure") != "denied" {
		t.Errorf("leads to %s", at)
	}
	if at := b.leads("/api/v1/session/oidc/nothing"); at.Query().Get("failure") != "provider" {
		t.Errorf("leads to %s", at)
	}
	server.Close()
	if at := b.leads("/api/v1/session/oidc/corp/callback?state=x&code=y"); at.Query().Get("failure") != "expired" {
		t.Errorf("leads to %s", at)
	}
}

func TestALoginLeadsToPathsOfOurOwnOnly(t *testing.T) {
	f := func(to, want string) {
		t.Helper()
		if got := ownPath(to); got != want {
			t.Errorf("%q leads to %q, want %q", to, got, want)
		}
	}
	f("/projects/1?range=1h", "/projects/1?range=1h")
	f("", "/")
	f("https://evil.example", "/")
	f("//evil.example", "/")
	f("/\\evil.example", "/")
	f("/\t/evil.example", "/")
	f("/a\r\nSet-Cookie: x", "/")
	f("javascript:alert(1)", "/")
	f("projects", "/")
	f("/"+strings.Repeat("x", 3000), "/")
}

func TestALoginAtAProviderNeedsHTTPSToo(t *testing.T) {
	h, _ := withIDP(t, nil)
	answer := h.anonymous().do(http.MethodGet, "/api/v1/session/oidc/corp", nil, []string{"Host", "matrix.example.com"})
	h.problem(answer, http.StatusForbidden)
}

func TestBehindAnAddressOfItsOwnTheCallbackIsBelowThat(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, func(o *Options) { o.BaseURL = "https://matrix.example.com" })
	c := h.login(h.first.Email, h.first.Password)
	var made OIDCProvider
	h.decode(c.do(http.MethodPost, "/api/v1/oidc-providers", NewOIDCProviderRequest{"corp", oidcBody()}, nil), http.StatusCreated, &made)
	if made.RedirectURI != "https://matrix.example.com/api/v1/session/oidc/corp/callback" {
		t.Errorf("%+v", made)
	}
	if got := flowCookie(secureCookie, "ab-c_d"); got != "__Host-mtx_oidc_abcd" {
		t.Errorf("%s", got)
	}
}
