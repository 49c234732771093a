package tenant_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/secret"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func sealer(t testing.TB, keys ...byte) *secret.Sealer {
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

// app is an authenticator app: it reads the address of a QR code as apps do.
type app struct {
	t   testing.TB
	key []byte
}

func newApp(t testing.TB, address string) *app {
	t.Helper()
	uri, err := url.Parse(address)
	if err != nil || uri.Scheme != "otpauth" || uri.Host != "totp" || !strings.HasPrefix(uri.Path, "/MATRIX:") || uri.Query().Get("issuer") != "MATRIX" {
		t.Fatalf("no app reads %q: %v", address, err)
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(uri.Query().Get("secret"))
	if err != nil || len(key) < 16 {
		t.Fatalf("%d bytes, %v", len(key), err)
	}
	return &app{t, key}
}

func (a *app) code(at time.Time) string {
	mac := hmac.New(sha1.New, a.key)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1000000)
}

// enrol sets up a second factor for an account.
func (h *house) enrol(user int64, password string) (*app, []string) {
	h.t.Helper()
	begun, err := h.BeginSecondFactor(h.t.Context(), user, password)
	h.must(err)
	device := newApp(h.t, begun.URI)
	recovery, err := h.ConfirmSecondFactor(h.t.Context(), user, device.code(h.clock.Now()))
	h.must(err)
	h.clock.Advance(30 * time.Second) // that code is used up
	return device, recovery
}

func (h *house) signIn(email, password, code string) error {
	_, err := h.Login(h.t.Context(), tenant.Credentials{Email: email, Password: password, Code: code, From: tenant.Caller{Address: "192.0.2.1"}})
	return err
}

// wantCode checks that err asks for a code, or says that it is wrong.
func wantCode(t *testing.T, err error) {
	t.Helper()
	if e := fault.As(err); e == nil || e.Kind != fault.Unauthenticated || e.Field != "code" {
		t.Errorf("got %v, want to be asked for a code", err)
	}
}

func TestASecondFactorIsAskedForAndNoCodeIsTakenTwice(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		email, password := h.first.Email, h.first.Password
		_, err := h.BeginSecondFactor(ctx, h.admin.UserID, "not the password")
		wantFault(t, err, fault.Invalid)
		begun, err := h.BeginSecondFactor(ctx, h.admin.UserID, password)
		h.must(err)
		h.must(h.signIn(email, password, "")) // begun is not on: who lost the QR code is not locked out
		_, err = h.ConfirmSecondFactor(ctx, h.admin.UserID, "000000")
		wantFault(t, err, fault.Invalid)
		device := newApp(t, begun.URI)
		first := device.code(h.clock.Now())
		recovery, err := h.ConfirmSecondFactor(ctx, h.admin.UserID, first)
		h.must(err)

		wantCode(t, h.signIn(email, password, ""))
		wantCode(t, h.signIn(email, password, first)) // it was used to set up
		h.clock.Advance(30 * time.Second)
		second := device.code(h.clock.Now())
		wantFault(t, h.signIn(email, "not the password", second), fault.Unauthenticated)
		h.must(h.signIn(email, password, second[:3]+" "+second[3:]))
		wantCode(t, h.signIn(email, password, second))
		h.clock.Advance(-30 * time.Second)
		wantCode(t, h.signIn(email, password, device.code(h.clock.Now()))) // nor an older one after it
		h.clock.Advance(60 * time.Second)
		h.must(h.signIn(email, password, device.code(h.clock.Now())))

		user, err := h.User(ctx, h.admin.UserID)
		stands, err2 := h.SecondFactorOf(ctx, h.admin.UserID)
		if err := errors.Join(err, err2); err != nil || !user.SecondFactor || !stands.Enabled || stands.Recovery != len(recovery) || len(recovery) != 10 {
			t.Errorf("%+v, %+v, %v", user, stands, err)
		}
		_, err = h.BeginSecondFactor(ctx, h.admin.UserID, password) // does not replace one that is on
		wantFault(t, err, fault.Conflict)
	})
}

func TestNeitherSecretNorRecoveryCodesCanBeReadInTheDatabase(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		device, recovery := h.enrol(h.admin.UserID, h.first.Password)
		rows, err := db.Query(t.Context(), `SELECT sealed FROM login_totp UNION ALL SELECT hash FROM login_recovery`)
		texts, err := metadb.Collect(rows, err, func(r *metadb.Rows) (s string, err error) { return s, r.Scan(&s) })
		if err != nil || len(texts) != 11 {
			t.Fatalf("%d rows, %v", len(texts), err)
		}
		all := strings.Join(texts, "\n")
		for _, plain := range append(recovery, string(device.key), base32.StdEncoding.EncodeToString(device.key)) {
			if strings.Contains(all, plain) || strings.Contains(all, strings.ReplaceAll(plain, "-", "")) {
				t.Errorf("%q is stored", plain)
			}
		}
	})
}

func TestARecoveryCodeIsGoodOnceAndNewOnesReplaceTheOld(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		device, recovery := h.enrol(h.admin.UserID, h.first.Password)
		_, ann := h.user("ann@example.com")
		_, hers := h.enrol(ann.ID, ann.Password)
		h.must(h.signIn(h.first.Email, h.first.Password, strings.ToUpper(recovery[0])))
		wantCode(t, h.signIn(h.first.Email, h.first.Password, recovery[0]))
		wantCode(t, h.signIn(h.first.Email, h.first.Password, hers[0])) // somebody else's
		fresh, err := h.RenewRecovery(ctx, h.admin.UserID, device.code(h.clock.Now()))
		h.must(err)
		wantCode(t, h.signIn(h.first.Email, h.first.Password, recovery[1]))
		h.must(h.signIn(h.first.Email, h.first.Password, fresh[1]))
		if slices.Contains(fresh, recovery[0]) {
			t.Error("the same codes again")
		}
	})
}

func TestOneCodeSentManyTimesAtOnceIsTakenOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		device, _ := h.enrol(h.admin.UserID, h.first.Password)
		code := device.code(h.clock.Now())
		var taken atomic.Int32
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if h.signIn(h.first.Email, h.first.Password, code) == nil {
					taken.Add(1)
				}
			})
		}
		group.Wait()
		if n := taken.Load(); n != 1 {
			t.Errorf("taken %d times", n)
		}
	})
}

func TestGuessingCodesHasToWaitFromWhereverItComes(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		device, _ := h.enrol(h.admin.UserID, h.first.Password)
		try := func(i int, code string) error {
			_, err := h.Login(ctx, tenant.Credentials{Email: h.first.Email, Password: h.first.Password, Code: code,
				From: tenant.Caller{Address: fmt.Sprintf("198.51.100.%d", i)}})
			return err
		}
		wrong := device.code(h.clock.Now().Add(-time.Hour))
		for i := range 5 {
			wantCode(t, try(i, wrong))
		}
		err := fault.As(try(9, device.code(h.clock.Now())))
		if err == nil || err.Kind != fault.RateLimited || err.RetryAfter == 0 {
			t.Fatalf("the sixth try: %+v", err)
		}
		h.clock.Advance(err.RetryAfter)
		h.must(try(9, device.code(h.clock.Now())))
		h.clock.Advance(30 * time.Second)
		wantCode(t, try(9, wrong)) // and success has cleared the count
	})
}

func TestItsOwnerTurnsASecondFactorOffWithPasswordAndCode(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		device, _ := h.enrol(h.admin.UserID, h.first.Password)
		wantFault(t, h.RemoveSecondFactor(ctx, h.admin.UserID, "not the password", device.code(h.clock.Now())), fault.Invalid)
		wantFault(t, h.RemoveSecondFactor(ctx, h.admin.UserID, h.first.Password, "000000"), fault.Invalid)
		_, err := h.SetDemand(ctx, h.admin, 0, true)
		h.must(err)
		wantFault(t, h.RemoveSecondFactor(ctx, h.admin.UserID, h.first.Password, device.code(h.clock.Now())), fault.Conflict)
		_, err = h.SetDemand(ctx, h.admin, 0, false)
		h.must(err)
		h.must(h.RemoveSecondFactor(ctx, h.admin.UserID, h.first.Password, device.code(h.clock.Now())))
		h.must(h.signIn(h.first.Email, h.first.Password, ""))
	})
}

func TestAResetSecondFactorEndsTheSessionsAndThoseOfNobodyElse(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		mine := h.login(h.first.Email, h.first.Password)
		_, ann := h.user("ann@example.com")
		hers := h.login(ann.Email, ann.Password)
		h.enrol(ann.ID, ann.Password)
		h.must(h.ResetSecondFactor(ctx, ann.ID))
		_, err := h.AuthenticateSession(ctx, hers.Secret)
		wantFault(t, err, fault.Unauthenticated)
		_, err = h.AuthenticateSession(ctx, mine.Secret)
		h.must(err)
		h.login(ann.Email, ann.Password)
		wantFault(t, h.ResetSecondFactor(ctx, 99), fault.NotFound)

		h.enrol(ann.ID, ann.Password)
		password, err := h.ResetPassword(ctx, ann.Email) // on the server, for who has nothing left
		h.must(err)
		h.login(ann.Email, password)
	})
}

func TestWhoLacksADemandedSecondFactorCanOnlySetOneUp(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		ann := h.member(0, "ann@example.com", tenant.Viewer)
		_, bob := h.user("bob@example.com")
		password, err := h.ResetPassword(ctx, "ann@example.com")
		h.must(err)
		hers, his := h.login("ann@example.com", password), h.login(bob.Email, bob.Password)
		demand, err := h.SetDemand(ctx, h.admin, h.first.Org.ID, true)
		if err != nil || !demand.SecondFactor || demand.Without != 2 { // the admin and Ann
			t.Fatalf("%+v, %v", demand, err)
		}
		actor, err := h.AuthenticateSession(ctx, hers.Secret) // one that was begun before, too
		if !errors.Is(err, tenant.ErrSecondFactor) || actor.UserID != ann.UserID || !fault.Is(err, fault.Denied) {
			t.Fatalf("%+v, %v", actor, err)
		}
		_, err = h.AuthenticateSession(ctx, his.Secret)
		h.must(err)
		stands, err := h.SecondFactorOf(ctx, ann.UserID)
		if err != nil || !stands.Demanded || stands.Enabled {
			t.Errorf("%+v, %v", stands, err)
		}
		h.enrol(ann.UserID, password)
		_, err = h.AuthenticateSession(ctx, hers.Secret)
		h.must(err)
		_, err = h.SetDemand(ctx, h.admin, 0, true)
		h.must(err)
		_, err = h.AuthenticateSession(ctx, his.Secret)
		if !errors.Is(err, tenant.ErrSecondFactor) {
			t.Errorf("demanded of everybody: %v", err)
		}
	})
}

func TestSecondFactorsAreSealedAnewUnderANewKey(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		device, _ := h.enrol(h.admin.UserID, h.first.Password)
		of := func(keys ...byte) *tenant.Store {
			store, err := tenant.New(tenant.Options{DB: db, Now: h.clock.Now, Sealer: sealer(t, keys...)})
			h.must(err)
			return store
		}
		h.must(of(8, 7).Rewrap(ctx))
		_, err := of(8).Login(ctx, tenant.Credentials{Email: h.first.Email, Password: h.first.Password, Code: device.code(h.clock.Now())})
		h.must(err)
	})
}

func TestSessionsAreListedAndEndedOneByOneAndAtOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		_, ann := h.user("ann@example.com")
		login := func(address, agent string) tenant.Session {
			t.Helper()
			h.clock.Advance(time.Minute)
			s, err := h.Login(ctx, tenant.Credentials{Email: ann.Email, Password: ann.Password, From: tenant.Caller{Address: address, Agent: agent}})
			h.must(err)
			return s
		}
		old := login("192.0.2.7", "Old\x00Browser "+strings.Repeat("x", 500))
		desk, phone := login("192.0.2.8", "Desk"), login("2001:db8::1", "Phone")
		list, err := h.Sessions(ctx, ann.ID, desk.Secret)
		if err != nil || len(list) != 3 || !list[0].Current || list[0].Agent != "Desk" || list[0].Address != "192.0.2.8" || list[0].Method != "password" {
			t.Fatalf("%+v, %v", list, err)
		}
		if list[1].Agent != "Phone" || list[1].Current || !strings.HasPrefix(list[2].Agent, "OldBrowser x") || len(list[2].Agent) != 300 {
			t.Errorf("%+v", list[1:])
		}
		alive := func(s tenant.Session) bool { _, err := h.AuthenticateSession(ctx, s.Secret); return err == nil }
		wantFault(t, h.EndSession(ctx, h.admin.UserID, list[1].ID), fault.NotFound) // not somebody else's
		if !alive(phone) {
			t.Error("ended by somebody else")
		}
		h.must(h.EndSession(ctx, ann.ID, list[1].ID))
		if alive(phone) || !alive(desk) || !alive(old) {
			t.Error("not the one that was named")
		}
		h.must(h.EndSessions(ctx, ann.ID, desk.Secret))
		if alive(old) || !alive(desk) {
			t.Error("not all but this one")
		}
		h.must(h.EndSessions(ctx, ann.ID, ""))
		list, err = h.Sessions(ctx, ann.ID, "")
		if err != nil || len(list) != 0 || alive(desk) {
			t.Errorf("%+v, %v", list, err)
		}
		h.login(h.first.Email, h.first.Password)
		h.clock.Advance(25 * time.Hour)
		if list, err := h.Sessions(ctx, h.admin.UserID, ""); err != nil || len(list) != 0 { // idle for a day is over
			t.Errorf("%+v, %v", list, err)
		}
	})
}
