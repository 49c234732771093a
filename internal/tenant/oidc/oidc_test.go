package oidc_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fake/idp"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/secret"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/tenant/oidc"
)

const redirect = "http://127.0.0.1:8080/api/v1/session/oidc/corp/callback"

// house is a store with the first start done, and a provider "corp" of a real server.
type house struct {
	*oidc.Service
	t       *testing.T
	db      *metadb.DB
	tenants *tenant.Store
	first   *tenant.FirstStart
	admin   tenant.Actor
	idp     *idp.Server
	late    time.Duration // how far our clock is ahead
	mu      sync.Mutex
}

func sealer(t *testing.T, keys ...byte) *secret.Sealer {
	t.Helper()
	var raw [][]byte
	for _, k := range keys {
		raw = append(raw, bytes.Repeat([]byte{k}, secret.KeySize))
	}
	file, err := secret.NewKeyFile(raw...)
	if err != nil {
		t.Fatal(err)
	}
	return secret.NewSealer(file)
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.late)
}

func newHouse(t *testing.T, db *metadb.DB, change func(*oidc.Settings)) *house {
	t.Helper()
	h := &house{t: t, db: db, idp: idp.Start(t, redirect)}
	var err error
	h.tenants, err = tenant.New(tenant.Options{DB: db, Sealer: sealer(t, 7), Now: h.now})
	h.must(err)
	h.first, err = h.tenants.Bootstrap(t.Context(), nil)
	h.must(err)
	h.admin = tenant.Actor{UserID: 1, System: true}
	h.Service = h.service(7)
	set := h.settings()
	if change != nil {
		change(&set)
	}
	_, err = h.Create(t.Context(), "corp", set, "admin")
	h.must(err)
	return h
}

func (h *house) service(keys ...byte) *oidc.Service {
	h.t.Helper()
	s, err := oidc.New(oidc.Options{DB: h.db, Tenants: h.tenants, Sealer: sealer(h.t, keys...), Client: &http.Client{}, Now: h.now})
	h.must(err)
	return s
}

func (h *house) settings() oidc.Settings {
	return oidc.Settings{Name: "Corp", Issuer: h.idp.URL, ClientID: idp.ClientID, ClientSecret: idp.ClientSecret, Enabled: true}
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// edit changes the provider.
func (h *house) edit(change func(*oidc.Settings)) {
	h.t.Helper()
	p, err := h.Provider(h.t.Context(), "corp")
	h.must(err)
	change(&p.Settings)
	_, err = h.Update(h.t.Context(), "corp", p.Version, p.Settings, "admin")
	h.must(err)
}

// back signs somebody in at the provider and returns what it leads back with.
func (h *house) back(subject string) oidc.Return {
	h.t.Helper()
	begun, err := h.Begin(h.t.Context(), "corp", redirect, "/incidents/7")
	h.must(err)
	led, err := h.idp.SignIn(h.t.Context(), begun.URL, subject)
	h.must(err)
	q := led.Query()
	return oidc.Return{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Issuer: q.Get("iss"), Sealed: begun.Sealed}
}

func (h *house) finish(back oidc.Return) (tenant.Session, error) {
	session, to, err := h.Finish(h.t.Context(), "corp", back, tenant.Caller{Address: "192.0.2.1", Agent: "test"})
	if err == nil && to != "/incidents/7" {
		h.t.Errorf("leads to %q", to)
	}
	return session, err
}

func (h *house) signIn(subject string) tenant.User {
	h.t.Helper()
	session, err := h.finish(h.back(subject))
	h.must(err)
	actor, err := h.tenants.AuthenticateSession(h.t.Context(), session.Secret)
	h.must(err)
	if actor.UserID != session.User.ID {
		h.t.Errorf("a session of %d for %d", actor.UserID, session.User.ID)
	}
	return session.User
}

func wantReason(t *testing.T, err error, reason oidc.Reason) {
	t.Helper()
	var f *oidc.Failure
	if !errors.As(err, &f) || f.Reason != reason {
		t.Errorf("got %v, want a failure because of %s", err, reason)
	}
}

func ann() idp.Person {
	return idp.Person{Subject: "sub-ann", Email: "Ann@corp.example", Verified: true, Name: "Ann Lee"}
}

func TestSomebodyNewSignsInAndIsTheSamePersonTheNextTime(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db, func(s *oidc.Settings) { s.CreateUsers = true })
		h.idp.Set(ann())
		user := h.signIn("sub-ann")
		if user.Email != "ann@corp.example" || user.Name != "Ann Lee" || user.System {
			t.Errorf("%+v", user)
		}
		sessions, err := h.tenants.Sessions(t.Context(), user.ID, "")
		if err != nil || len(sessions) != 1 || sessions[0].Method != "oidc" || sessions[0].Provider != "corp" || sessions[0].Agent != "test" {
			t.Errorf("%+v, %v", sessions, err)
		}
		moved := ann()
		moved.Email = "ann.kim@corp.example" // a new address of the same subject
		h.idp.Set(moved)
		if again := h.signIn("sub-ann"); again.ID != user.ID || again.Email != "ann@corp.example" {
			t.Errorf("%+v", again)
		}
		if n := h.idp.Asked("/.well-known/openid-configuration"); n != 1 {
			t.Errorf("discovered %d times", n)
		}
	})
}

func TestAnAccountIsLinkedByItsVerifiedAddressOnly(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db, nil), t.Context()
		h.idp.Set(ann())
		_, err := h.finish(h.back("sub-ann"))
		wantReason(t, err, oidc.NoAccount) // unknown people are not made unless it is said
		made, err := h.tenants.CreateUser(ctx, "ann@corp.example", "Ann")
		h.must(err)
		unverified := ann()
		unverified.Verified = false
		h.idp.Set(unverified)
		_, err = h.finish(h.back("sub-ann"))
		wantReason(t, err, oidc.Unverified)
		h.idp.Set(ann())
		if user := h.signIn("sub-ann"); user.ID != made.ID {
			t.Errorf("%+v, want %d", user, made.ID)
		}
		// The address goes to somebody else, who must not get her account.
		heir := ann()
		heir.Subject = "sub-heir"
		h.idp.Set(heir)
		_, err = h.finish(h.back("sub-heir"))
		wantReason(t, err, oidc.Linked)
		h.must(h.tenants.Unlink(ctx, made.ID))
		if user := h.signIn("sub-heir"); user.ID != made.ID {
			t.Errorf("%+v", user)
		}

		_, err = h.tenants.UpdateUser(ctx, made.ID, 1, tenant.UserChange{Name: "Ann", Disabled: true})
		h.must(err)
		_, err = h.finish(h.back("sub-heir"))
		wantReason(t, err, oidc.Closed)
	})
}

func TestAProviderWhoseAddressesAreTrustedNeedsNoMarkOnThem(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), func(s *oidc.Settings) {
		s.CreateUsers, s.TrustEmail, s.Domains = true, true, []string{"@Corp.Example"}
	})
	p := ann()
	p.Verified = false
	h.idp.Set(p)
	h.signIn("sub-ann")
	p.Subject, p.Email = "sub-2", "ann@corp.example.evil.test"
	h.idp.Set(p)
	_, err := h.finish(h.back("sub-2"))
	wantReason(t, err, oidc.Domain)
	// Another claim than email is not what email_verified speaks of.
	h.edit(func(s *oidc.Settings) { s.TrustEmail, s.Domains, s.EmailClaim = false, nil, "preferred_username" })
	p.Subject, p.Verified = "bob@corp.example", true
	h.idp.Set(p)
	_, err = h.finish(h.back("bob@corp.example"))
	wantReason(t, err, oidc.Unverified)
}

func TestAFlowEndsOnceInTheBrowserThatBeganItAndInTime(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db, func(s *oidc.Settings) { s.CreateUsers = true })
		h.idp.Set(ann())
		back := h.back("sub-ann")
		f := func(reason oidc.Reason, change func(*oidc.Return)) {
			t.Helper()
			bad := back
			change(&bad)
			_, err := h.finish(bad)
			wantReason(t, err, reason)
		}
		other := h.back("sub-ann") // another browser's
		f(oidc.Expired, func(r *oidc.Return) { r.Sealed = "" })
		f(oidc.Expired, func(r *oidc.Return) { r.Sealed = "env1:rubbish" })
		f(oidc.Expired, func(r *oidc.Return) { r.Sealed = other.Sealed })
		f(oidc.Expired, func(r *oidc.Return) { r.State = "" })
		f(oidc.Expired, func(r *oidc.Return) { r.State += "x" })
		f(oidc.Failed, func(r *oidc.Return) { r.Issuer = "https://other.example" })
		f(oidc.Denied, func(r *oidc.Return) { r.Error, r.Code = "access_denied", "" })
		f(oidc.Failed, func(r *oidc.Return) { r.Error = "server_error" })
		f(oidc.Failed, func(r *oidc.Return) { r.Code = "invented" })
		// The code of one flow with the cookie of another: PKCE and nonce are of that one.
		f(oidc.Failed, func(r *oidc.Return) { r.State, r.Sealed = other.State, other.Sealed })
		_, err := h.finish(other)
		h.must(err)
		_, err = h.finish(other)
		wantReason(t, err, oidc.Failed) // the provider takes a code once

		late := h.back("sub-ann")
		h.mu.Lock()
		h.late = oidc.FlowLife
		h.mu.Unlock()
		_, err = h.finish(late)
		wantReason(t, err, oidc.Expired)
	})
}

func TestTheRequestCarriesStateNonceAndPKCEOfItsOwn(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), func(s *oidc.Settings) { s.Scopes = []string{"email", "groups"} })
	seen := map[string]bool{}
	for range 3 {
		begun, err := h.Begin(t.Context(), "corp", redirect, "/")
		h.must(err)
		at, err := url.Parse(begun.URL)
		h.must(err)
		q := at.Query()
		if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != redirect ||
			q.Get("client_id") != idp.ClientID || q.Get("scope") != "openid email groups" || q.Get("state") != begun.State {
			t.Errorf("%s", begun.URL)
		}
		for _, name := range []string{"state", "nonce", "code_challenge"} {
			if value := q.Get(name); len(value) < 43 || seen[value] {
				t.Errorf("%s is %q", name, value)
			} else {
				seen[value] = true
			}
		}
		if strings.Contains(begun.URL, idp.ClientSecret) {
			t.Error("the secret is in the address")
		}
	}
}

func TestMembershipsFollowTheGroupsAndThoseGivenByHandStay(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db, nil), t.Context()
		org, group := h.first.Org.ID, h.first.Group.ID
		other, err := h.tenants.CreateOrganisation(ctx, h.admin, "Other")
		h.must(err)
		h.edit(func(s *oidc.Settings) {
			s.CreateUsers = true
			s.Mappings = []oidc.Mapping{
				{Value: "sre", OrgID: org, Role: tenant.Viewer},
				{Value: "leads", OrgID: org, Role: tenant.Admin},
				{Value: "sre", OrgID: org, GroupID: group, Role: tenant.Editor},
				{Value: "other", OrgID: other.ID, Role: tenant.Viewer},
				{Value: "boss", OrgID: other.ID, Role: tenant.Owner},
			}
		})
		var user tenant.User
		f := func(want string, groups ...string) {
			t.Helper()
			p := ann()
			p.Groups = groups
			h.idp.Set(p)
			user = h.signIn("sub-ann")
			members, err := h.tenants.Memberships(ctx, user.ID)
			h.must(err)
			var got []string
			for _, m := range members {
				name := map[int64]string{org: "matrix", other.ID: "other"}[m.OrgID]
				if name == "" {
					continue // her personal organisation
				}
				if m.GroupID != 0 {
					name += "/group"
				}
				got = append(got, name+":"+string(m.Role))
			}
			slices.Sort(got)
			if strings.Join(got, " ") != want {
				t.Errorf("with %v: %v, want %s", groups, got, want)
			}
		}
		f("matrix/group:editor matrix:viewer", "sre", "unrelated")
		f("matrix/group:editor matrix:admin", "sre", "leads") // the stronger of two
		f("matrix/group:editor matrix:viewer", "sre")
		f("other:viewer", "other")
		f("")
		// By hand: neither changed nor taken away, and nothing the provider gives touches it.
		h.must(h.tenants.SetMember(ctx, h.admin, org, 0, "ann@corp.example", tenant.Editor))
		f("matrix:editor")
		f("matrix/group:editor matrix:editor", "sre")
		f("matrix:editor")
		h.must(h.tenants.RemoveMember(ctx, h.admin, org, 0, user.ID))
		// What the provider gave and somebody changed is by hand from then on.
		f("other:viewer", "other")
		h.must(h.tenants.SetMember(ctx, h.admin, other.ID, 0, "ann@corp.example", tenant.Admin))
		f("other:admin", "other")
		f("other:admin")
		h.must(h.tenants.RemoveMember(ctx, h.admin, other.ID, 0, user.ID))
		// The last owner stays, and goes once there is another.
		f("other:owner", "boss")
		h.must(h.tenants.RemoveMember(ctx, h.admin, other.ID, 0, h.admin.UserID))
		f("other:owner")
		h.must(h.tenants.SetMember(ctx, h.admin, other.ID, 0, h.first.Email, tenant.Owner))
		f("")
		// A provider that is deleted takes along what it gave; the account stays.
		f("matrix/group:editor matrix:viewer", "sre")
		p, err := h.Provider(ctx, "corp")
		h.must(err)
		h.must(h.Delete(ctx, "corp", p.Version))
		members, err := h.tenants.Memberships(ctx, user.ID)
		sessions, err2 := h.tenants.Sessions(ctx, user.ID, "")
		if err := errors.Join(err, err2); err != nil || len(members) != 1 || len(sessions) != 0 {
			t.Errorf("%+v, %d sessions, %v", members, len(sessions), err)
		}
		if _, err := h.tenants.User(ctx, user.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestASecondFactorThatIsDemandedIsTheProvidersAffair(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), func(s *oidc.Settings) { s.CreateUsers = true })
	h.idp.Set(ann())
	_, err := h.tenants.SetDemand(t.Context(), h.admin, 0, true)
	h.must(err)
	h.signIn("sub-ann")
}

func TestAnIssuerThatDoesNotAnswerIsAskedAgainAfterAWhile(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil)
	broken, asked := true, 0
	var issuer *httptest.Server
	issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		if broken {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"issuer": "` + issuer.URL + `", "authorization_endpoint": "` + issuer.URL + `/a", "token_endpoint": "` + issuer.URL + `/t", "jwks_uri": "` + issuer.URL + `/k"}`))
	}))
	defer issuer.Close()
	h.edit(func(s *oidc.Settings) { s.Issuer = issuer.URL })
	for range 3 {
		_, err := h.Begin(t.Context(), "corp", redirect, "/")
		wantReason(t, err, oidc.Unreached)
	}
	_, err := h.Check(t.Context(), "corp")
	if e := fault.As(err); e == nil || e.Kind != fault.Invalid || e.Field != "issuer" || asked != 2 {
		t.Errorf("asked %d times: %v", asked, err)
	}
	broken = false
	h.mu.Lock()
	h.late = 11 * time.Second
	h.mu.Unlock()
	_, err = h.Begin(t.Context(), "corp", redirect, "/")
	h.must(err)
}

func TestACheckTellsWhatTheIssuerOffers(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), func(s *oidc.Settings) { s.Scopes = []string{"email", "groups"} })
	c, err := h.Check(t.Context(), "corp")
	if err != nil || !c.PKCE || !strings.HasPrefix(c.Authorization, h.idp.URL) || c.UserInfo == "" || !slices.Equal(c.Missing, []string{"groups"}) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestAProviderIsCheckedBeforeItIsStored(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db, nil), t.Context()
		f := func(field, code string, change func(*oidc.Settings)) {
			t.Helper()
			set := h.settings()
			change(&set)
			_, err := h.Create(ctx, code, set, "admin")
			if e := fault.As(err); e == nil || e.Field != field {
				t.Errorf("got %v, want %s to be wrong", err, field)
			}
		}
		f("code", "Corp", func(*oidc.Settings) {})
		f("code", "corp", func(*oidc.Settings) {}) // taken
		f("issuer", "b", func(s *oidc.Settings) { s.Issuer = "http://login.example.com" })
		f("issuer", "b", func(s *oidc.Settings) { s.Issuer = "login.example.com" })
		f("issuer", "b", func(s *oidc.Settings) { s.Issuer = "https://a:b@login.example.com" })
		f("client_id", "b", func(s *oidc.Settings) { s.ClientID = " " })
		f("scopes", "b", func(s *oidc.Settings) { s.Scopes = []string{"a b"} })
		f("domains", "b", func(s *oidc.Settings) { s.Domains = []string{"corp"} })
		f("mappings[0].org_id", "b", func(s *oidc.Settings) { s.Mappings = []oidc.Mapping{{Value: "x", OrgID: 999, Role: tenant.Viewer}} })
		f("mappings[0].org_id", "b", func(s *oidc.Settings) { // the admin's personal one
			s.Mappings = []oidc.Mapping{{Value: "x", OrgID: 1, Role: tenant.Viewer}}
		})
		f("mappings[0].role", "b", func(s *oidc.Settings) { s.Mappings = []oidc.Mapping{{Value: "x", OrgID: h.first.Org.ID, Role: "king"}} })
	})
}

func TestAClientsSecretIsSealedAndGoesToNoOtherIssuer(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db, func(s *oidc.Settings) { s.CreateUsers = true }), t.Context()
		var stored string
		h.must(db.QueryRow(ctx, `SELECT config || sealed FROM oidc_provider`).Scan(&stored))
		if strings.Contains(stored, idp.ClientSecret) {
			t.Error("the secret can be read")
		}
		h.edit(func(s *oidc.Settings) { s.Name = "Corp Inc." }) // keeps it
		h.idp.Set(ann())
		h.signIn("sub-ann")
		p, err := h.Provider(ctx, "corp")
		if err != nil || !p.HasSecret || p.Version != 2 || p.Name != "Corp Inc." {
			t.Fatalf("%+v, %v", p, err)
		}
		_, err = h.Update(ctx, "corp", 1, p.Settings, "admin")
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("an edit of an old version: %v", err)
		}
		h.must(h.service(8, 7).Rewrap(ctx))
		h.Service = h.service(8)
		h.signIn("sub-ann")
		h.edit(func(s *oidc.Settings) { s.Issuer = "https://evil.example" })
		if p, err = h.Provider(ctx, "corp"); err != nil || p.HasSecret {
			t.Errorf("the secret would go to another issuer: %+v, %v", p, err)
		}
	})
}

func TestAProviderThatIsOffIsNotOnTheLoginPageAndSignsNobodyIn(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), func(s *oidc.Settings) { s.CreateUsers = true })
	h.idp.Set(ann())
	back := h.back("sub-ann")
	if b, err := h.Buttons(t.Context()); err != nil || len(b) != 1 || b[0] != (oidc.Button{Code: "corp", Name: "Corp"}) {
		t.Errorf("%+v, %v", b, err)
	}
	h.edit(func(s *oidc.Settings) { s.Enabled = false })
	if b, err := h.Buttons(t.Context()); err != nil || len(b) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
	_, err := h.Begin(t.Context(), "corp", redirect, "/")
	wantReason(t, err, oidc.Unknown)
	_, err = h.finish(back)
	wantReason(t, err, oidc.Unknown)
	_, err = h.Begin(context.Background(), "nothing", redirect, "/")
	wantReason(t, err, oidc.Unknown)
}
