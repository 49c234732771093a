package tenant_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestPasswordsAreKeptInArgon2idWithTheDocumentedParameters(t *testing.T) {
	db := metadbtest.SQLite(t)
	newHouse(t, db)
	var hash string
	if err := db.QueryRow(t.Context(), `SELECT password_hash FROM account`).Scan(&hash); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("stored as %q", hash)
	}
}

func TestAWrongPasswordAndAnUnknownAddressAreAnsweredAlike(t *testing.T) {
	h, ctx := newHouse(t, metadbtest.SQLite(t)), t.Context()
	_, wrong := h.Login(ctx, tenant.Credentials{Email: h.first.Email, Password: "not the password", From: tenant.Caller{Address: "192.0.2.1"}})
	_, unknown := h.Login(ctx, tenant.Credentials{Email: "nobody@example.com", Password: "not the password", From: tenant.Caller{Address: "192.0.2.2"}})
	wantFault(t, wrong, fault.Unauthenticated)
	if wrong.Error() != unknown.Error() {
		t.Errorf("%q against %q", wrong, unknown)
	}
	// Both take a hash: a shortcut would be two orders of magnitude faster. The
	// two are asked in turn and compared by their medians, so that a busy
	// machine slows both down alike.
	var known, guessed []time.Duration
	for i := range 5 {
		for email, took := range map[string]*[]time.Duration{h.first.Email: &known, "nobody@example.com": &guessed} {
			began := time.Now()
			_, err := h.Login(ctx, tenant.Credentials{Email: email, Password: "not the password", From: tenant.Caller{Address: "198.51.100." + strconv.Itoa(i+1)}})
			*took = append(*took, time.Since(began))
			wantFault(t, err, fault.Unauthenticated)
		}
	}
	slices.Sort(known)
	slices.Sort(guessed)
	if guessed[2] < known[2]/4 {
		t.Errorf("an unknown address is answered in %v, a known one in %v", guessed[2], known[2])
	}
}

func TestRepeatedFailuresHaveToWaitLongerAndLonger(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		fail := func(address string) error {
			_, err := h.Login(ctx, tenant.Credentials{Email: h.first.Email, Password: "not the password", From: tenant.Caller{Address: address}})
			return err
		}
		for range 5 {
			wantFault(t, fail("192.0.2.9"), fault.Unauthenticated)
		}
		last := time.Duration(0)
		for range 3 {
			err := fault.As(fail("192.0.2.9"))
			if err == nil || err.Kind != fault.RateLimited || err.RetryAfter <= last {
				t.Fatalf("got %+v after a pause of %v", err, last)
			}
			_, right := h.Login(ctx, tenant.Credentials{Email: h.first.Email, Password: h.first.Password, From: tenant.Caller{Address: "192.0.2.9"}})
			wantFault(t, right, fault.RateLimited) // the right password does not jump the queue
			last = err.RetryAfter
			h.clock.Advance(last)
			wantFault(t, fail("192.0.2.9"), fault.Unauthenticated)
		}
		h.login(h.first.Email, h.first.Password) // from elsewhere nobody is locked out
		h.clock.Advance(time.Hour)
		if _, err := h.Login(ctx, tenant.Credentials{Email: h.first.Email, Password: h.first.Password, From: tenant.Caller{Address: "192.0.2.9"}}); err != nil {
			t.Fatal(err)
		}
		wantFault(t, fail("192.0.2.9"), fault.Unauthenticated) // and success has cleared the count
	})
}

func TestGuessingManyAccountsFromOneNetworkHasToWait(t *testing.T) {
	h, ctx := newHouse(t, metadbtest.SQLite(t)), t.Context()
	var limited int
	for i := range 60 {
		// Every address of an IPv6 /64 belongs to one guesser.
		address := "2001:db8::" + string("0123456789abcdef"[i%16])
		if _, err := h.Login(ctx, tenant.Credentials{Email: string(rune('a'+i%26)) + "@example.com", Password: "x", From: tenant.Caller{Address: address}}); fault.Is(err, fault.RateLimited) {
			limited++
		}
	}
	if limited == 0 {
		t.Fatal("60 guesses were all answered")
	}
}

func TestGuessesSentAtTheSameTimeDoNotSlipUnderTheLimit(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	var answered atomic.Int32
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() {
			if _, err := h.Login(context.Background(), tenant.Credentials{Email: h.first.Email, Password: "not the password", From: tenant.Caller{Address: "192.0.2.9"}}); fault.Is(err, fault.Unauthenticated) {
				answered.Add(1)
			}
		})
	}
	group.Wait()
	if n := answered.Load(); n != 5 {
		t.Fatalf("%d guesses were answered, want 5", n)
	}
}

func TestASessionEndsWhenIdleAndWhenOldAndWithItsAccount(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		alive := func(s tenant.Session) bool {
			t.Helper()
			_, err := h.AuthenticateSession(ctx, s.Secret)
			if err != nil {
				wantFault(t, err, fault.Unauthenticated)
			}
			return err == nil
		}
		idle := h.login(h.first.Email, h.first.Password)
		h.clock.Advance(25 * time.Hour)
		if alive(idle) {
			t.Error("alive after a day without a request")
		}
		old := h.login(h.first.Email, h.first.Password)
		for range 8 {
			h.clock.Advance(20 * time.Hour)
			alive(old)
		}
		if !alive(old) {
			t.Error("ended although it is in use")
		}
		h.clock.Advance(20 * time.Hour)
		if alive(old) {
			t.Error("alive after a week")
		}
		out := h.login(h.first.Email, h.first.Password)
		_, _, err := h.Logout(ctx, out.Secret)
		h.must(err)
		if alive(out) {
			t.Error("alive after the logout")
		}
		_, ann := h.user("ann@example.com")
		hers := h.login(ann.Email, ann.Password)
		_, err = h.UpdateUser(ctx, ann.ID, 1, tenant.UserChange{Name: "Ann", Disabled: true})
		h.must(err)
		if alive(hers) {
			t.Error("alive although the account is disabled")
		}
		_, err = h.Login(ctx, tenant.Credentials{Email: ann.Email, Password: ann.Password, From: tenant.Caller{Address: "192.0.2.1"}})
		wantFault(t, err, fault.Unauthenticated)
		h.must(h.Prune(ctx))
		var rows int
		if err := db.QueryRow(ctx, `SELECT count(*) FROM login_session`).Scan(&rows); err != nil || rows != 0 {
			t.Errorf("%d sessions after Prune, %v", rows, err)
		}
	})
}

func TestANewPasswordEndsTheOtherSessions(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		here, there := h.login(h.first.Email, h.first.Password), h.login(h.first.Email, h.first.Password)
		wantFault(t, h.ChangePassword(ctx, h.admin.UserID, "wrong", "correct horse battery", here.Secret), fault.Invalid)
		wantFault(t, h.ChangePassword(ctx, h.admin.UserID, h.first.Password, "short", here.Secret), fault.Invalid)
		h.must(h.ChangePassword(ctx, h.admin.UserID, h.first.Password, "correct horse battery", here.Secret))
		if _, err := h.AuthenticateSession(ctx, here.Secret); err != nil {
			t.Error(err)
		}
		_, err := h.AuthenticateSession(ctx, there.Secret)
		wantFault(t, err, fault.Unauthenticated)
		_, err = h.Login(ctx, tenant.Credentials{Email: h.first.Email, Password: h.first.Password, From: tenant.Caller{Address: "192.0.2.1"}})
		wantFault(t, err, fault.Unauthenticated)
		h.login(h.first.Email, "correct horse battery")
	})
}

func TestANewPasswordRevokesTheTokens(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		token, err := h.CreateToken(ctx, h.admin, "ci", []tenant.Scope{tenant.ScopeProjectRead}, h.clock.Now().Add(time.Hour))
		h.must(err)
		h.must(h.ChangePassword(ctx, h.admin.UserID, h.first.Password, "correct horse battery", ""))
		_, err = h.AuthenticateToken(ctx, token.Secret)
		wantFault(t, err, fault.Unauthenticated)
	})
}

func TestGuessingThePresentPasswordHasToWait(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		change := func(old string) error {
			return h.ChangePassword(ctx, h.admin.UserID, old, "correct horse battery", "")
		}
		for range 5 {
			wantFault(t, change("a guess"), fault.Invalid)
		}
		err := fault.As(change(h.first.Password))
		if err == nil || err.Kind != fault.RateLimited || err.RetryAfter == 0 {
			t.Fatalf("the sixth try in a row: %+v", err)
		}
		h.login(h.first.Email, h.first.Password) // who guesses here keeps nobody from signing in
		h.clock.Advance(err.RetryAfter)
		h.must(change(h.first.Password))
	})
}

func TestAResetPasswordEndsSessionsAndTokens(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		session := h.login(h.first.Email, h.first.Password)
		token, err := h.CreateToken(ctx, h.admin, "ci", []tenant.Scope{tenant.ScopeProjectRead}, h.clock.Now().Add(time.Hour))
		h.must(err)
		_, ann := h.user("ann@example.com")
		hers := h.login(ann.Email, ann.Password)
		password, err := h.ResetPassword(ctx, " Admin@localhost")
		h.must(err)
		_, err = h.AuthenticateSession(ctx, session.Secret)
		wantFault(t, err, fault.Unauthenticated)
		_, err = h.AuthenticateToken(ctx, token.Secret)
		wantFault(t, err, fault.Unauthenticated)
		_, err = h.Login(ctx, tenant.Credentials{Email: h.first.Email, Password: h.first.Password, From: tenant.Caller{Address: "192.0.2.1"}})
		wantFault(t, err, fault.Unauthenticated)
		h.login(h.first.Email, password)
		_, err = h.AuthenticateSession(ctx, hers.Secret)
		h.must(err)
		_, err = h.ResetPassword(ctx, "nobody@example.com")
		wantFault(t, err, fault.NotFound)
	})
}

func TestAnIngestKeyIsShownOnceStoredHashedAndRevokedWithinASecond(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		p := h.first.Project
		key, err := h.CreateKey(ctx, h.admin, p.ID, "agents")
		h.must(err)
		var stored string
		h.must(db.QueryRow(ctx, `SELECT hash || hint FROM ingest_key WHERE id = $1`, key.ID).Scan(&stored))
		if strings.Contains(stored, key.Secret) || len(key.Hint) > len("mtx_ing_")+4 {
			t.Error("the key itself is stored")
		}
		id, limits, err := h.AuthenticateKey(ctx, key.Secret)
		if err != nil || id != p.ID || limits.KeyID != key.ID || limits.Retention.Traces != tenant.DefaultRetentionDays {
			t.Fatalf("%v, %+v, %v", id, limits, err)
		}
		h.must(h.Flush(ctx))
		keys, err := h.Keys(ctx, p.ID)
		if err != nil || len(keys) != 2 || keys[0].LastUsedAt == nil || keys[1].LastUsedAt != nil {
			t.Fatalf("%+v, %v", keys, err)
		}
		wantFault(t, h.RevokeKey(ctx, p.ID+1, key.ID), fault.NotFound) // not through another project

		otherNode, err := tenant.New(tenant.Options{DB: db, Now: h.clock.Now})
		h.must(err)
		_, _, err = otherNode.AuthenticateKey(ctx, key.Secret)
		h.must(err)
		h.must(h.RevokeKey(ctx, p.ID, key.ID))
		_, _, err = h.AuthenticateKey(ctx, key.Secret)
		wantFault(t, err, fault.Unauthenticated)
		h.clock.Advance(time.Second)
		_, _, err = otherNode.AuthenticateKey(ctx, key.Secret)
		wantFault(t, err, fault.Unauthenticated)
		for _, bad := range []string{"", "mtx_ing_", key.Secret + "x", strings.ToUpper(key.Secret), "mtx_api_" + key.Secret[8:]} {
			_, _, err := h.AuthenticateKey(ctx, bad)
			wantFault(t, err, fault.Unauthenticated)
		}
	})
}

func TestAKnownKeyOutlivesAShortOutageOfTheMetadata(t *testing.T) {
	dsn := metadbtest.SQLiteDSN(t)
	db, err := metadb.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	h, ctx := newHouse(t, db), t.Context()
	_, _, err = h.AuthenticateKey(ctx, h.first.Key)
	h.must(err)
	h.must(h.Flush(ctx))
	h.must(db.Close())
	h.clock.Advance(30 * time.Second)
	if p, _, err := h.AuthenticateKey(ctx, h.first.Key); err != nil || p != h.first.Project.ID {
		t.Errorf("%v, %v", p, err)
	}
	h.clock.Advance(31 * time.Second)
	_, _, err = h.AuthenticateKey(ctx, h.first.Key)
	wantFault(t, err, fault.Unavailable)
}

func TestATokenExpiresCanBeRevokedAndGoesNoFurtherThanItsOwner(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		ann := h.member(0, "ann@example.com", tenant.Viewer)
		make := func(scopes []tenant.Scope, life time.Duration) (tenant.NewToken, error) {
			return h.CreateToken(ctx, ann, "ci", scopes, h.clock.Now().Add(life))
		}
		f := func(kind fault.Kind, life time.Duration, scopes ...tenant.Scope) {
			t.Helper()
			_, err := make(scopes, life)
			wantFault(t, err, kind)
		}
		f(fault.Invalid, time.Hour)
		f(fault.Invalid, time.Hour, "project.steal")
		f(fault.Invalid, -time.Hour, tenant.ScopeProjectRead)
		f(fault.Invalid, 400*24*time.Hour, tenant.ScopeProjectRead)
		f(fault.Denied, time.Hour, tenant.ScopeSystemAdmin)

		token, err := make([]tenant.Scope{tenant.ScopeProjectWrite, tenant.ScopeProjectRead, tenant.ScopeProjectRead}, time.Hour)
		if err != nil || len(token.Scopes) != 2 {
			t.Fatalf("%+v, %v", token, err)
		}
		actor, err := h.AuthenticateToken(ctx, token.Secret)
		if err != nil || actor.UserID != ann.UserID || actor.Token == nil {
			t.Fatalf("%+v, %v", actor, err)
		}
		wantFault(t, h.Can(ctx, actor, tenant.ProjectWrite, tenant.Target{Project: h.first.Project.ID}), fault.Denied) // Ann is a viewer
		wantFault(t, h.RevokeToken(ctx, h.admin.UserID, token.ID), fault.NotFound)                                     // not somebody else's
		h.must(h.RevokeToken(ctx, ann.UserID, token.ID))
		_, err = h.AuthenticateToken(ctx, token.Secret)
		wantFault(t, err, fault.Unauthenticated)

		token, err = make([]tenant.Scope{tenant.ScopeProjectRead}, time.Hour)
		h.must(err)
		h.clock.Advance(time.Hour)
		_, err = h.AuthenticateToken(ctx, token.Secret)
		wantFault(t, err, fault.Unauthenticated)
		tokens, err := h.Tokens(ctx, ann.UserID)
		if err != nil || len(tokens) != 2 || tokens[1].RevokedAt == nil || tokens[1].LastUsedAt == nil {
			t.Fatalf("%+v, %v", tokens, err)
		}
	})
}

func TestPruningRunsAsAJob(t *testing.T) {
	db := metadbtest.SQLite(t)
	h := newHouse(t, db)
	h.clock.Advance(8 * 24 * time.Hour)
	q, err := job.New(job.Options{DB: db, PollInterval: 20 * time.Millisecond})
	h.must(err)
	h.Register(q)
	h.must(q.Start(t.Context()))
	defer func() { h.must(q.Stop(context.Background())) }()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var rows int
		if err := db.QueryRow(t.Context(), `SELECT count(*) FROM login_session`).Scan(&rows); err != nil || time.Now().After(deadline) {
			t.Fatal(errors.Join(err, errors.New("the session is still there")))
		}
		if rows == 0 {
			return
		}
	}
}
