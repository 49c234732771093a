package tenant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

const (
	sessionPrefix = "mtx_ses_"
	sessionLife   = 7 * 24 * time.Hour // from login, whatever happens
	sessionIdle   = 24 * time.Hour     // without a request
	seenEvery     = time.Minute        // how exact seen_at is

	failureMemory    = 24 * time.Hour // a failure older than this is forgotten
	accountFailures  = 5              // free tries per address and account
	addressFailures  = 50             // free tries per address over all accounts
	failurePauseMax  = 15 * time.Minute
	failurePauseBase = 2 * time.Second // doubled with each failure beyond the free ones
)

// Session is a login: Secret goes into a cookie and is stored only as a hash.
type Session struct {
	Secret    string
	ExpiresAt time.Time
	User      User
}

// Login checks a password and begins a session. A wrong address and a wrong
// password are answered alike, in words and in time; after a few failures the
// address has to wait (fault.RateLimited), longer each time.
func (s *Store) Login(ctx context.Context, email, password, address string) (Session, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	limits := []failureLimit{
		{subject(address, email), accountFailures},
		{subject(address, ""), addressFailures},
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
	ok, outdated, err := s.verifyPassword(ctx, password, hash)
	if err != nil {
		return Session{}, err
	}
	if !ok || user.ID == 0 || user.Disabled {
		return Session{}, fault.New(fault.Unauthenticated, "the address or the password is wrong")
	}
	if outdated {
		if hash, err = s.hashPassword(ctx, password); err != nil {
			return Session{}, err
		}
	}
	session := Session{ExpiresAt: now.Add(sessionLife), User: user}
	session.Secret, _ = newSecret(sessionPrefix)
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM login_failure WHERE subject = $1`, limits[0].subject); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE login_failure SET failures = failures - 1, blocked_until = 0
			WHERE subject = $1 AND failures > 0`, limits[1].subject); err != nil {
			return err
		}
		if outdated {
			if _, err := tx.Exec(ctx, `UPDATE account SET password_hash = $2 WHERE id = $1`, user.ID, hash); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO login_session (hash, user_id, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)`,
			digest(session.Secret), user.ID, metadb.Micros(now), metadb.Micros(session.ExpiresAt))
		return err
	})
	return session, err
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
// session it is fault.Unauthenticated.
func (s *Store) AuthenticateSession(ctx context.Context, secret string) (Actor, error) {
	over := fault.New(fault.Unauthenticated, "the session is over: sign in again")
	if !wellFormed(secret, sessionPrefix) {
		return Actor{}, over
	}
	now, hash := s.now(), digest(secret)
	var actor Actor
	var seen int64
	err := s.db.QueryRow(ctx, `SELECT a.id, a.name, a.system_admin, l.seen_at FROM login_session l JOIN account a ON a.id = l.user_id
		WHERE l.hash = $1 AND l.expires_at > $2 AND l.seen_at > $3 AND NOT a.disabled`,
		hash, metadb.Micros(now), metadb.Micros(now.Add(-sessionIdle))).Scan(&actor.UserID, &actor.Name, &actor.System, &seen)
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
	return actor, nil
}

// Logout ends a session; one that is over already is no error.
func (s *Store) Logout(ctx context.Context, secret string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM login_session WHERE hash = $1`, digest(secret))
	return err
}
