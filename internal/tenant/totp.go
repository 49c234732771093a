package tenant

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what authenticator apps compute; HMAC does not need it free of collisions
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// What authenticator apps take for granted (RFC 6238 with the defaults of the
// otpauth addresses they read): HMAC-SHA-1, six digits, a step of 30 seconds.
const (
	totpSecret = 20 // bytes, as RFC 4226 section 4 recommends
	totpDigits = 6
	totpStep   = 30 * time.Second
	totpDrift  = 1 // steps that a clock may be off either way
	totpIssuer = "MATRIX"

	recoveryCodes = 10
	recoveryBytes = 10 // 80 random bits: nothing to guess, so that a plain hash is enough
	codeTries     = 5  // free wrong codes of an account, from wherever
)

var base32Plain = base32.StdEncoding.WithPadding(base32.NoPadding)

// ErrSecondFactor is what AuthenticateSession says of a session whose account
// must set up a second factor first.
var ErrSecondFactor error = fault.New(fault.Denied, "set up two-step sign-in first: it is demanded of your account").WithField("totp")

// SecondFactor is how an account's second factor stands.
type SecondFactor struct {
	Enabled   bool       `json:"enabled"`
	Since     *time.Time `json:"since" doc:"when it was set up; null while it is not"`
	Recovery  int        `json:"recovery" doc:"recovery codes that are still good"`
	Demanded  bool       `json:"demanded" doc:"by the installation, or by an organisation the account is in"`
	Available bool       `json:"available" doc:"false where this installation cannot keep secrets"`
}

// NewSecondFactor is what an authenticator app is given, this one time.
type NewSecondFactor struct {
	Secret string `json:"secret" doc:"to be typed, base 32"`
	URI    string `json:"uri" doc:"to be shown as a QR code: otpauth://totp/…"`
}

// hotp is the code of one counter (RFC 4226 section 5.3).
func hotp(key []byte, counter uint64, digits int) string {
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, counter) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	value := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	modulus := uint32(1)
	for range digits {
		modulus *= 10
	}
	return fmt.Sprintf("%0*d", digits, value%modulus)
}

func stepOf(at time.Time) int64 { return at.Unix() / int64(totpStep/time.Second) }

// matchCode returns the step whose code this is, of those around now; 0 is none.
func matchCode(key []byte, code string, now time.Time) (step int64) {
	middle := stepOf(now)
	for s := middle - totpDrift; s <= middle+totpDrift; s++ {
		if subtle.ConstantTimeCompare([]byte(hotp(key, uint64(s), totpDigits)), []byte(code)) == 1 {
			step = s
		}
	}
	return step
}

// plainCode drops what people type between the characters of a code.
func plainCode(code string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(code)))
}

func totpPlace(user int64) string { return fmt.Sprintf("second factor of account %d", user) }

// SecondFactorOf tells how the second factor of an account stands.
func (s *Store) SecondFactorOf(ctx context.Context, user int64) (f SecondFactor, err error) {
	f.Available = s.sealer != nil
	var confirmed int64
	err = s.db.QueryRow(ctx, `SELECT confirmed_at FROM login_totp WHERE user_id = $1`, user).Scan(&confirmed)
	if err != nil && !errors.Is(err, metadb.ErrNoRows) {
		return f, err
	}
	f.Since = optional(confirmed)
	f.Enabled = f.Since != nil
	if err := s.db.QueryRow(ctx, `SELECT count(*) FROM login_recovery WHERE user_id = $1 AND used_at = 0`, user).Scan(&f.Recovery); err != nil {
		return f, err
	}
	var demands int
	err = s.db.QueryRow(ctx, `SELECT count(*) FROM login_demand d WHERE d.org_id = 0
		OR EXISTS (SELECT 1 FROM membership m WHERE m.org_id = d.org_id AND m.user_id = $1)`, user).Scan(&demands)
	f.Demanded = demands > 0
	return f, err
}

// BeginSecondFactor gives the account a secret to put into an authenticator
// app. It is asked for at sign-in once ConfirmSecondFactor has seen a code of
// it. The password is asked again: a borrowed session sets up nothing.
func (s *Store) BeginSecondFactor(ctx context.Context, user int64, password string) (n NewSecondFactor, err error) {
	if s.sealer == nil {
		return n, fault.New(fault.Unsupported, "this installation has no key to seal secrets with")
	}
	if err := s.checkOwnPassword(ctx, user, password, "password"); err != nil {
		return n, err
	}
	u, err := s.User(ctx, user)
	if err != nil {
		return n, err
	}
	key := make([]byte, totpSecret)
	_, _ = rand.Read(key) // never fails
	sealed, err := s.sealer.Seal(ctx, key, totpPlace(user))
	if err != nil {
		return n, err
	}
	changed, err := s.db.Exec(ctx, `INSERT INTO login_totp (user_id, sealed, last_step, created_at, confirmed_at) VALUES ($1, $2, 0, $3, 0)
		ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, last_step = 0, created_at = excluded.created_at
		WHERE login_totp.confirmed_at = 0`, user, sealed, metadb.Micros(s.now()))
	if err == nil && changed == 0 {
		err = fault.New(fault.Conflict, "two-step sign-in is on already: turn it off first").WithField("totp")
	}
	n.Secret = base32Plain.EncodeToString(key)
	uri := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + totpIssuer + ":" + u.Email,
		RawQuery: "secret=" + n.Secret + "&issuer=" + totpIssuer + "&algorithm=SHA1&digits=6&period=30"}
	n.URI = uri.String()
	return n, err
}

// ConfirmSecondFactor turns the second factor on once code shows that the app
// has its secret, and returns the recovery codes, which are stored only hashed.
func (s *Store) ConfirmSecondFactor(ctx context.Context, user int64, code string) (recovery []string, err error) {
	if err := s.takeCode(ctx, user, code, true); err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := changed(tx.Exec(ctx, `UPDATE login_totp SET confirmed_at = $2 WHERE user_id = $1 AND confirmed_at = 0`, user, metadb.Micros(s.now()))); err != nil {
			return err
		}
		recovery, err = newRecovery(ctx, tx, user)
		return err
	})
	return recovery, err
}

// RenewRecovery replaces the recovery codes; code is one of the app's.
func (s *Store) RenewRecovery(ctx context.Context, user int64, code string) (recovery []string, err error) {
	if err := s.takeCode(ctx, user, code, false); err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		recovery, err = newRecovery(ctx, tx, user)
		return err
	})
	return recovery, err
}

// RemoveSecondFactor turns it off for its owner, who gives the password and a
// code, of the app or for recovery. Where it is demanded it stays (Conflict).
func (s *Store) RemoveSecondFactor(ctx context.Context, user int64, password, code string) error {
	if err := s.checkOwnPassword(ctx, user, password, "password"); err != nil {
		return err
	}
	stands, err := s.SecondFactorOf(ctx, user)
	if err != nil {
		return err
	}
	if stands.Enabled && stands.Demanded {
		return fault.New(fault.Conflict, "two-step sign-in is demanded of your account").WithField("totp")
	}
	if err := s.takeCode(ctx, user, code, false); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error { return dropSecondFactor(ctx, tx, user) })
}

// ResetSecondFactor turns it off for somebody who has lost it, and ends their
// sessions. Where it is demanded the next sign-in asks to set it up anew.
func (s *Store) ResetSecondFactor(ctx context.Context, user int64) error {
	if _, err := s.User(ctx, user); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := dropSecondFactor(ctx, tx, user); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM login_failure WHERE subject = $1`, codeLimit(user).subject); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM login_session WHERE user_id = $1`, user)
		return err
	})
}

func dropSecondFactor(ctx context.Context, tx *metadb.Tx, user int64) error {
	if _, err := tx.Exec(ctx, `DELETE FROM login_recovery WHERE user_id = $1`, user); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM login_totp WHERE user_id = $1`, user)
	return err
}

func newRecovery(ctx context.Context, tx *metadb.Tx, user int64) ([]string, error) {
	if _, err := tx.Exec(ctx, `DELETE FROM login_recovery WHERE user_id = $1`, user); err != nil {
		return nil, err
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		random := make([]byte, recoveryBytes)
		_, _ = rand.Read(random) // never fails
		text := strings.ToLower(base32Plain.EncodeToString(random))
		codes[i] = text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
		if _, err := tx.Exec(ctx, `INSERT INTO login_recovery (user_id, hash, used_at) VALUES ($1, $2, 0)`, user, digest(text)); err != nil {
			return nil, err
		}
	}
	return codes, nil
}

// codeLimit counts wrong codes of an account over all addresses: who has the
// password has six digits left to guess, and may have many addresses.
func codeLimit(user int64) failureLimit {
	return failureLimit{subject("", fmt.Sprintf("code of %d", user)), codeTries}
}

// takeCode uses up a code of the account, or a recovery code; of a second
// factor that is only begun no recovery code counts. A wrong one, and one that
// was used, is fault.Invalid in the field code, after a few fault.RateLimited.
func (s *Store) takeCode(ctx context.Context, user int64, code string, begun bool) error {
	limit := codeLimit(user)
	if err := s.countFailures(ctx, s.now(), []failureLimit{limit}); err != nil {
		return err
	}
	ok, err := s.useCode(ctx, user, plainCode(code), begun)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.Invalid, "the code is wrong, or was used already").WithField("code")
	}
	_, err = s.db.Exec(ctx, `DELETE FROM login_failure WHERE subject = $1`, limit.subject)
	return err
}

func (s *Store) useCode(ctx context.Context, user int64, code string, begun bool) (bool, error) {
	if len(code) != totpDigits {
		if begun {
			return false, nil
		}
		n, err := s.db.Exec(ctx, `UPDATE login_recovery SET used_at = $3 WHERE user_id = $1 AND hash = $2 AND used_at = 0`,
			user, digest(code), metadb.Micros(s.now()))
		return n == 1, err
	}
	var sealed string
	err := s.db.QueryRow(ctx, `SELECT sealed FROM login_totp WHERE user_id = $1 AND (confirmed_at = 0) = $2`, user, begun).Scan(&sealed)
	if errors.Is(err, metadb.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if s.sealer == nil {
		return false, fault.New(fault.Unsupported, "this installation has no key to open secrets with")
	}
	key, err := s.sealer.Open(ctx, sealed, totpPlace(user))
	if err != nil {
		return false, err
	}
	step := matchCode(key, code, s.now())
	if step == 0 {
		return false, nil
	}
	// The row decides between two that come with the same code at once.
	n, err := s.db.Exec(ctx, `UPDATE login_totp SET last_step = $2 WHERE user_id = $1 AND last_step < $2 AND sealed = $3`, user, step, sealed)
	return n == 1, err
}

// hasSecondFactor reports whether an account signs in with a code as well.
func (s *Store) hasSecondFactor(ctx context.Context, user int64) (bool, error) {
	var n int
	err := s.db.QueryRow(ctx, `SELECT count(*) FROM login_totp WHERE user_id = $1 AND confirmed_at > 0`, user).Scan(&n)
	return n > 0, err
}

// Demand is whether a second factor is demanded of people who sign in with a password.
type Demand struct {
	SecondFactor bool `json:"second_factor" doc:"who has none can do nothing but set one up; people of OpenID Connect have their provider's"`
	Without      int  `json:"without" doc:"people it would be demanded of who have none yet"`
}

// DemandOf reads what an organisation (0: the installation) demands.
func (s *Store) DemandOf(ctx context.Context, org int64) (d Demand, err error) {
	var n int
	if err := s.db.QueryRow(ctx, `SELECT count(*) FROM login_demand WHERE org_id = $1`, org).Scan(&n); err != nil {
		return d, err
	}
	d.SecondFactor = n > 0
	err = s.db.QueryRow(ctx, `SELECT count(*) FROM account a WHERE NOT a.disabled
		AND NOT EXISTS (SELECT 1 FROM login_totp t WHERE t.user_id = a.id AND t.confirmed_at > 0)
		AND (CAST($1 AS BIGINT) = 0 OR EXISTS (SELECT 1 FROM membership m WHERE m.user_id = a.id AND m.org_id = CAST($1 AS BIGINT)))`, org).Scan(&d.Without)
	return d, err
}

// SetDemand changes what an organisation (0: the installation) demands.
func (s *Store) SetDemand(ctx context.Context, by Actor, org int64, secondFactor bool) (Demand, error) {
	var err error
	if secondFactor {
		if s.sealer == nil {
			return Demand{}, fault.New(fault.Unsupported, "this installation has no key to seal secrets with")
		}
		_, err = s.db.Exec(ctx, `INSERT INTO login_demand (org_id, created_at, created_by) VALUES ($1, $2, $3) ON CONFLICT (org_id) DO NOTHING`,
			org, metadb.Micros(s.now()), by.UserID)
	} else {
		_, err = s.db.Exec(ctx, `DELETE FROM login_demand WHERE org_id = $1`, org)
	}
	if err != nil {
		return Demand{}, err
	}
	return s.DemandOf(ctx, org)
}

// Rewrap puts the data keys of what this store has sealed under the current
// master key, after another one was made. What does not open stays as it is.
func (s *Store) Rewrap(ctx context.Context) error {
	type row struct {
		user   int64
		sealed string
	}
	rows, err := s.db.Query(ctx, `SELECT user_id, sealed FROM login_totp`)
	all, err := metadb.Collect(rows, err, func(r *metadb.Rows) (one row, err error) { return one, r.Scan(&one.user, &one.sealed) })
	if err != nil {
		return fmt.Errorf("rewrap second factors: %w", err)
	}
	for _, one := range all {
		sealed, changed, err := s.sealer.Rewrap(ctx, one.sealed, totpPlace(one.user))
		if err != nil || !changed {
			continue
		}
		if _, err := s.db.Exec(ctx, `UPDATE login_totp SET sealed = $3 WHERE user_id = $1 AND sealed = $2`, one.user, one.sealed, sealed); err != nil {
			return fmt.Errorf("rewrap second factors: %w", err)
		}
	}
	return nil
}
