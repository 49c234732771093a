package tenant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

const (
	sessionPrefix = "mtx_ses_"
	sessionLife   = 7 * 24 * time.Hour // from login, whatever happens
	sessionIdle   = 24 * time.Hour     // without a request
	seenEvery     = time.Minute        // how exact seen_at is
	agentMax      = 300                // characters kept of what a browser calls itself
	sessionIDSize = 16                 // characters of a session's hash that name it: of 64, so that it stays a hash

	failureMemory    = 24 * time.Hour // a failure older than this is forgotten
	accountFailures  = 5              // free tries per address and account
	addressFailures  = 50             // free tries per address over all accounts
	failurePauseMax  = 15 * time.Minute
	failurePauseBase = 2 * time.Second // doubled with each failure beyond the free ones
)

// The ways to sign in.
const (
	MethodPassword = "password"
	MethodOIDC     = "oidc"
)

// Session is a login: Secret goes into a cookie and is stored only as a hash.
type Session struct {
	Secret    string
	ExpiresAt time.Time
	User      User
	// Changed is what a login at a provider changed of the account, in words for the
	// audit log: memberships, and that it was made or linked.
	Changed []string
}

// Caller is where a login comes from, as the list of sessions shows it.
type Caller struct {
	Address string
	Agent   string // as the browser names itself
}

// Credentials are what somebody signs in with.
type Credentials struct {
	Email    string
	Password string
	Code     string // of the second factor; "" is answered with Unauthenticated in the field code where one is needed
	From     Caller
}

// Login checks a password, and the code of the second factor where the account
// has one, and begins a session. A wrong address and a wrong password are
// answered alike, in words and in time; after a few failures the address has to
// wait (fault.RateLimited), longer each time.
func (s *Store) Login(ctx context.Context, with Credentials) (Session, error) {
	email := strings.ToLower(strings.TrimSpace(with.Email))
	limits := []failureLimit{
		{subject(with.From.Address, email), accountFailures},
		{subject(with.From.Address, ""), addressFailures},
	}
	now := s.now().UTC()
	// Counted before the password is looked at, and taken back after: guesses
	// sent at the same time then cannot slip under the limit together.
	if err := s.countFailures(ctx, now, limits); err != nil {
		return Session{}, err
	}
	hash := decoy()
	user, err := s.userForLogin(ctx, email, &hash)
	if err != nil {
		return Session{}, err
	}
	ok, outdated, err := s.verifyPassword(ctx, with.Password, hash)
	if err != nil {
		return Session{}, err
	}
	if !ok || user.ID == 0 || user.Disabled {
		return Session{}, fault.New(fault.Unauthenticated, "the address or the password is wrong")
	}
	if err := s.loginCode(ctx, user, with.Code, limits); err != nil {
		return Session{}, err
	}
	if outdated {
		if hash, err = s.hashPassword(ctx, with.Password); err != nil {
			return Session{}, err
		}
	}
	var session Session
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := forgiveFailures(ctx, tx, limits); err != nil {
			return err
		}
		if outdated {
			if _, err := tx.Exec(ctx, `UPDATE account SET password_hash = $2 WHERE id = $1`, user.ID, hash); err != nil {
				return err
			}
		}
		session, err = s.beginSession(ctx, tx, user, MethodPassword, "", with.From)
		return err
	})
	return session, err
}

// loginCode asks for the second factor of an account whose password was right.
func (s *Store) loginCode(ctx context.Context, user User, code string, limits []failureLimit) error {
	if needed, err := s.hasSecondFactor(ctx, user.ID); err != nil || !needed {
		return err
	}
	if code == "" {
		// The password was no guess: the question for the code costs no try.
		if err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error { return forgiveFailures(ctx, tx, limits) }); err != nil {
			return err
		}
		return fault.New(fault.Unauthenticated, "send the code of your authenticator app").WithField("code")
	}
	err := s.takeCode(ctx, user.ID, code, false)
	if fault.Is(err, fault.Invalid) { // not signed in is what it means here
		return fault.New(fault.Unauthenticated, "the code is wrong, or was used already").WithField("code")
	}
	return err
}

// forgiveFailures takes back what Login has counted: all of the account's, and
// this one of the address's.
func forgiveFailures(ctx context.Context, tx *metadb.Tx, limits []failureLimit) error {
	if _, err := tx.Exec(ctx, `DELETE FROM login_failure WHERE subject = $1`, limits[0].subject); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE login_failure SET failures = failures - 1, blocked_until = 0
		WHERE subject = $1 AND failures > 0`, limits[1].subject)
	return err
}

// beginSession makes a session of a user who has shown who they are.
func (s *Store) beginSession(ctx context.Context, tx *metadb.Tx, user User, method, provider string, from Caller) (Session, error) {
	now := s.now().UTC()
	session := Session{ExpiresAt: now.Add(sessionLife), User: user}
	session.Secret, _ = newSecret(sessionPrefix)
	_, err := tx.Exec(ctx, `INSERT INTO login_session (hash, user_id, created_at, seen_at, expires_at, address, agent, method, provider)
		VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8)`,
		digest(session.Secret), user.ID, metadb.Micros(now), metadb.Micros(session.ExpiresAt),
		from.Address, shortAgent(from.Agent), method, provider)
	return session, err
}

// shortAgent bounds what a browser says of itself, and drops what no screen
// and no database would take.
func shortAgent(agent string) string {
	agent = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, agent)
	if runes := []rune(agent); len(runes) > agentMax {
		return string(runes[:agentMax])
	}
	return agent
}

// userForLogin returns the account and its hash; without an account the user is
// zero and the hash stays what it was.
func (s *Store) userForLogin(ctx context.Context, email string, hash *string) (User, error) {
	var id int64
	err := s.db.QueryRow(ctx, `SELECT id, password_hash FROM account WHERE email = $1`, email).Scan(&id, hash)
	if errors.Is(err, metadb.ErrNoRows) {
		return User{}, nil
	}
	if err != nil {
		return User{}, err
	}
	return s.User(ctx, id)
}

type failureLimit struct {
	subject string
	free    int
}

// subject names what failures are counted for, without keeping who it was. An
// IPv6 host has a whole /64 to call from.
func subject(address, email string) string {
	if host, err := netip.ParseAddr(address); err == nil && host.Is6() && !host.Is4In6() {
		if network, err := host.Prefix(64); err == nil {
			address = network.String()
		}
	}
	sum := sha256.Sum256([]byte(address + "\x00" + email))
	return hex.EncodeToString(sum[:])
}

// countFailures adds one failure to each subject, or refuses when one has to
// wait. A refused try is not counted: it told nobody anything.
func (s *Store) countFailures(ctx context.Context, now time.Time, limits []failureLimit) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		for _, limit := range limits {
			var failures int
			var last, blocked int64
			err := tx.QueryRow(ctx, `SELECT failures, last_at, blocked_until FROM login_failure WHERE subject = $1`, limit.subject).
				Scan(&failures, &last, &blocked)
			if err != nil && !errors.Is(err, metadb.ErrNoRows) {
				return err
			}
			if wait := metadb.FromMicros(blocked).Sub(now); blocked != 0 && wait > 0 {
				return fault.New(fault.RateLimited, "too many wrong passwords: wait").WithRetryAfter(wait)
			}
			if now.Sub(metadb.FromMicros(last)) > failureMemory {
				failures = 0
			}
			failures++
			until := int64(0)
			if beyond := failures - limit.free; beyond >= 0 {
				until = metadb.Micros(now.Add(min(failurePauseBase<<min(beyond, 12), failurePauseMax)))
			}
			if _, err := tx.Exec(ctx, `INSERT INTO login_failure (subject, failures, last_at, blocked_until) VALUES ($1, $2, $3, $4)
				ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at, blocked_until = excluded.blocked_until`,
				limit.subject, failures, metadb.Micros(now), until); err != nil {
				return err
			}
		}
		return nil
	})
}

// AuthenticateSession returns who a session cookie belongs to; without a living
// session it is fault.Unauthenticated. With ErrSecondFactor the actor is known
// and may do nothing but set up a second factor, which is demanded of who signs
// in with a password: API tokens that exist are no sign-in.
func (s *Store) AuthenticateSession(ctx context.Context, secret string) (Actor, error) {
	over := fault.New(fault.Unauthenticated, "the session is over: sign in again")
	if !wellFormed(secret, sessionPrefix) {
		return Actor{}, over
	}
	now, hash := s.now(), digest(secret)
	var actor Actor
	var seen int64
	var lacks bool
	err := s.db.QueryRow(ctx, `SELECT a.id, a.name, a.system_admin, l.seen_at,
			l.method = 'password' AND EXISTS (SELECT 1 FROM login_demand d WHERE d.org_id = 0
				OR EXISTS (SELECT 1 FROM membership m WHERE m.org_id = d.org_id AND m.user_id = a.id))
			AND NOT EXISTS (SELECT 1 FROM login_totp t WHERE t.user_id = a.id AND t.confirmed_at > 0)
		FROM login_session l JOIN account a ON a.id = l.user_id
		WHERE l.hash = $1 AND l.expires_at > $2 AND l.seen_at > $3 AND NOT a.disabled`,
		hash, metadb.Micros(now), metadb.Micros(now.Add(-sessionIdle))).Scan(&actor.UserID, &actor.Name, &actor.System, &seen, &lacks)
	if errors.Is(err, metadb.ErrNoRows) {
		return Actor{}, over
	}
	if err != nil {
		return Actor{}, err
	}
	if now.Sub(metadb.FromMicros(seen)) >= seenEvery {
		if _, err := s.db.Exec(ctx, `UPDATE login_session SET seen_at = $2 WHERE hash = $1`, hash, metadb.Micros(now)); err != nil {
			s.log.WarnContext(ctx, "last use of a session was not noted", "user_id", actor.UserID, "error", err.Error())
		}
	}
	if lacks {
		return actor, ErrSecondFactor
	}
	return actor, nil
}

// LiveSession is a session that has not ended, as its owner sees it.
type LiveSession struct {
	ID        string    `json:"id"`
	Address   string    `json:"address" doc:"where it was begun; empty when it is not known"`
	Agent     string    `json:"agent" doc:"what the browser called itself"`
	Method    string    `json:"method" enum:"password,oidc"`
	Provider  string    `json:"provider" doc:"of OpenID Connect, by its code"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at" doc:"to the minute"`
	ExpiresAt time.Time `json:"expires_at" doc:"at the latest; a day without a request ends it as well"`
	Current   bool      `json:"current" doc:"the one that asks"`
}

// Sessions lists the living sessions of a user, the one whose cookie is given
// first, then by their last use.
func (s *Store) Sessions(ctx context.Context, user int64, current string) ([]LiveSession, error) {
	now := s.now()
	rows, err := s.db.Query(ctx, `SELECT hash, address, agent, method, provider, created_at, seen_at, expires_at FROM login_session
		WHERE user_id = $1 AND expires_at > $2 AND seen_at > $3
		ORDER BY CASE hash WHEN $4 THEN 0 ELSE 1 END, seen_at DESC, hash`,
		user, metadb.Micros(now), metadb.Micros(now.Add(-sessionIdle)), digest(current))
	return metadb.Collect(rows, err, func(r *metadb.Rows) (l LiveSession, err error) {
		var hash string
		var created, seen, expires int64
		err = r.Scan(&hash, &l.Address, &l.Agent, &l.Method, &l.Provider, &created, &seen, &expires)
		l.CreatedAt, l.SeenAt, l.ExpiresAt = metadb.FromMicros(created), metadb.FromMicros(seen), metadb.FromMicros(expires)
		l.ID, l.Current = hash[:min(sessionIDSize, len(hash))], hash == digest(current)
		return l, err
	})
}

// EndSession ends one of a user's sessions.
func (s *Store) EndSession(ctx context.Context, user int64, id string) error {
	n, err := s.db.Exec(ctx, `DELETE FROM login_session WHERE user_id = $1 AND substr(hash, 1, $3) = $2`, user, id, sessionIDSize)
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "this session does not exist, or is over")
	}
	return err
}

// EndSessions ends the sessions of a user, but for the one whose cookie is given.
func (s *Store) EndSessions(ctx context.Context, user int64, keep string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM login_session WHERE user_id = $1 AND hash <> $2`, user, digest(keep))
	return err
}

// Logout ends a session; one that is over already is no error. It returns the
// provider at which the session was begun, "" for a password, and the ID token as
// LoginIdentity was given it.
func (s *Store) Logout(ctx context.Context, secret string) (provider, idToken string, err error) {
	err = s.db.QueryRow(ctx, `DELETE FROM login_session WHERE hash = $1 RETURNING provider, id_token`, digest(secret)).Scan(&provider, &idToken)
	if errors.Is(err, metadb.ErrNoRows) {
		err = nil
	}
	return provider, idToken, err
}
