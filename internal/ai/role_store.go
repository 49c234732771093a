package ai

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/memo"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Roles are the roles and prices of the installation. What a label stands for is
// remembered for a moment, so that an edit is live on all nodes by then, and at
// once where it was made; by the clock of the process, which runs on when tests stop
// theirs.
type Roles struct {
	db        *metadb.DB
	now       func() time.Time
	providers func(context.Context, Owner) ([]string, error)

	edits  atomic.Int64 // made here: what is remembered does not outlive them
	labels memo.Memo[labelKey, *released]
	live   memo.Memo[struct{}, live]
}

// NewRoles returns the store on db. now is the clock; nil is time.Now.
// providers are the only ones a chain may name.
func NewRoles(db *metadb.DB, now func() time.Time, providers []string) *Roles {
	if now == nil {
		now = time.Now
	}
	known := func(context.Context, Owner) ([]string, error) { return providers, nil }
	return &Roles{db: db, now: now, providers: known}
}

// forget drops what is remembered, after an edit.
func (s *Roles) forget() { s.edits.Add(1) }

// labelKey names a label of a role of an owner.
type labelKey struct {
	owner       Owner
	code, label string
}

// Released returns the version that a label of a role stands for in the calls of
// an organisation: of its own role of that code, or of the installation's when it
// has none. "" is Production. dice is from 0 to 99 and decides between the label's
// version and its canary. The Role is shared: it must not be changed. fault.NotFound.
func (s *Roles) Released(ctx context.Context, org Owner, code, label string, dice int) (*Role, error) {
	key := labelKey{org, code, cmp.Or(label, Production)}
	known, err := s.released(ctx, key)
	if err == nil && known.role == nil {
		key.owner = Shared
		known, err = s.released(ctx, key)
	}
	if err != nil {
		return nil, err
	}
	return known.pick(dice), nil
}

// released is load out of what is remembered, also that an organisation has no
// role of that code.
func (s *Roles) released(ctx context.Context, key labelKey) (*released, error) {
	return s.labels.Get(key, s.edits.Load(), time.Now(), func() (*released, error) { return s.load(ctx, key) })
}

// check is Role.Check, and that the chain can be asked here.
func (s *Roles) check(ctx context.Context, r *Role) error { return s.checkFor(ctx, r, Shared) }

// checkFor is check for calls of an owner's projects.
func (s *Roles) checkFor(ctx context.Context, r *Role, owner Owner) error {
	if err := r.Check(); err != nil {
		return err
	}
	if len(r.Chain) == 0 {
		return nil
	}
	known, err := s.providers(ctx, owner)
	if err != nil {
		return err
	}
	for _, e := range r.Chain {
		if slices.Contains(known, e.Provider) {
			continue
		}
		configured := "none is configured"
		if len(known) > 0 {
			configured = "configured are " + strings.Join(known, ", ")
		}
		return fault.New(fault.Invalid, "there is no provider %q: %s", e.Provider, configured).WithField("chain")
	}
	return nil
}

// Seed stores the default roles and prices that were never stored before. A
// role that was edited or deleted stays so.
func (s *Roles) Seed(ctx context.Context) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		for _, r := range DefaultRoles() {
			known, err := lastVersion(ctx, tx, r.key())
			if err != nil {
				return err
			}
			if known == 0 {
				if err := s.write(ctx, tx, &r, 1, "matrix"); err != nil {
					return err
				}
				if err := s.release(ctx, tx, &r, "matrix"); err != nil {
					return err
				}
			}
		}
		if err := seedCapabilities(ctx, tx); err != nil {
			return err
		}
		return seedPrices(ctx, tx)
	})
}

// Get returns the latest version of a role, which need not be the one in
// production; fault.NotFound.
func (s *Roles) Get(ctx context.Context, owner Owner, code string) (*Role, error) {
	r, err := role(ctx, s.db, owner.RoleKey(code))
	if fault.Is(err, fault.NotFound) {
		err = noRole(code)
	}
	return r, err
}

func role(ctx context.Context, q metadb.Querier, key string) (*Role, error) {
	var body string
	err := q.QueryRow(ctx, `SELECT body FROM ai_role WHERE code = $1`, key).Scan(&body)
	if errors.Is(err, metadb.ErrNoRows) {
		return nil, noRole(RoleCode(key))
	}
	if err != nil {
		return nil, fmt.Errorf("load role: %w", err)
	}
	var r Role
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return nil, fmt.Errorf("read role %s: %w", key, err)
	}
	return &r, nil
}

// At returns one version of a role, also of a deleted one; fault.NotFound.
func (s *Roles) At(ctx context.Context, owner Owner, code string, version int) (*Role, error) {
	return roleAt(ctx, s.db, owner.RoleKey(code), version)
}

func roleAt(ctx context.Context, q metadb.Querier, key string, version int) (*Role, error) {
	var body string
	err := q.QueryRow(ctx, `SELECT body FROM ai_role_version WHERE code = $1 AND version = $2 AND NOT deleted`, key, version).Scan(&body)
	if errors.Is(err, metadb.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "role %q has no version %d", RoleCode(key), version)
	}
	if err != nil {
		return nil, fmt.Errorf("load version of role: %w", err)
	}
	var r Role
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return nil, fmt.Errorf("read role %s: %w", key, err)
	}
	return &r, nil
}

func scanRole(rows *metadb.Rows) (Role, error) {
	var body string
	var r Role
	if err := rows.Scan(&body); err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(body), &r)
}

// List returns all roles of an owner by code.
func (s *Roles) List(ctx context.Context, owner Owner) ([]Role, error) {
	where, pattern := owner.within(`code`)
	rows, err := s.db.Query(ctx, `SELECT body FROM ai_role WHERE `+where+` ORDER BY code`, pattern)
	return metadb.Collect(rows, err, scanRole)
}

// RoleVersion is a role as it was stored once, or as it was when it was deleted.
type RoleVersion struct {
	Role
	Deleted bool `json:"deleted"`
}

// History returns the versions of a role, newest first, also of a deleted one.
func (s *Roles) History(ctx context.Context, owner Owner, code string) ([]RoleVersion, error) {
	rows, err := s.db.Query(ctx, `SELECT body, deleted FROM ai_role_version WHERE code = $1 ORDER BY version DESC`, owner.RoleKey(code))
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (RoleVersion, error) {
		var body string
		var v RoleVersion
		if err := rows.Scan(&body, &v.Deleted); err != nil {
			return v, err
		}
		return v, json.Unmarshal([]byte(body), &v.Role)
	})
}

// Create stores a new role, in production; fault.Conflict when the code is taken, fault.Invalid
// when its chain names a provider that is not configured.
func (s *Roles) Create(ctx context.Context, r Role, author string) (*Role, error) {
	if err := s.check(ctx, &r); err != nil {
		return nil, err
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if _, err := role(ctx, tx, r.key()); !fault.Is(err, fault.NotFound) {
			if err != nil {
				return err
			}
			return fault.New(fault.Conflict, "role %q exists already", r.Code).WithField("code")
		}
		last, err := lastVersion(ctx, tx, r.key())
		if err != nil {
			return err
		}
		if err := s.write(ctx, tx, &r, last+1, author); err != nil {
			return err
		}
		return s.release(ctx, tx, &r, author)
	})
	if err != nil {
		return nil, err
	}
	s.forget()
	return &r, nil
}

// Update stores a new version of the role if r.Version is still the latest; else
// fault.Conflict. It refuses what Create refuses. Without a masking policy it
// keeps the one the role has: an empty policy takes it away. With publish, production is
// moved to it, which fault.Denied refuses to who may not move a protected label;
// else no call uses it before a label is.
func (s *Roles) Update(ctx context.Context, r Role, publish bool, protected Override, author string) (*Role, error) {
	if err := s.check(ctx, &r); err != nil {
		return nil, err
	}
	expected := r.Version
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := unchanged(ctx, tx, r.key(), expected); err != nil {
			return err
		}
		if publish && protected == Forbidden {
			if err := publishable(ctx, tx, &r); err != nil {
				return err
			}
		}
		if r.Masking == nil {
			known, err := role(ctx, tx, r.key())
			if err != nil {
				return err
			}
			r.Masking = known.Masking
		}
		if err := s.write(ctx, tx, &r, expected+1, author); err != nil || !publish {
			return err
		}
		return s.release(ctx, tx, &r, author)
	})
	if err != nil {
		return nil, err
	}
	s.forget()
	return &r, nil
}

// release moves production to a version that was just stored, without canary. It
// is protected at first, and then as people left it.
func (s *Roles) release(ctx context.Context, tx *metadb.Tx, r *Role, author string) error {
	known, err := labels(ctx, tx, r.key())
	if err != nil {
		return err
	}
	from := labelNamed(known, Production)
	return s.move(ctx, tx, r.key(), from, &Label{Name: Production, Version: r.Version, Protected: from == nil || from.Protected}, author, r.Notes)
}

// publishable refuses to move production when it is protected.
func publishable(ctx context.Context, tx *metadb.Tx, r *Role) error {
	known, err := labels(ctx, tx, r.key())
	if err != nil {
		return err
	}
	if at := labelNamed(known, Production); at != nil && at.Protected {
		return fault.New(fault.Denied, "production of role %q is protected: store the version as a draft, and ask an administrator of the organisation to move production to it", r.Code).WithField("draft")
	}
	return nil
}

// Delete removes the role with its labels if version is still the latest one.
// Its history stays.
func (s *Roles) Delete(ctx context.Context, owner Owner, code string, version int, author string) error {
	defer s.forget()
	key := owner.RoleKey(code)
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := unchanged(ctx, tx, key, version); err != nil {
			return err
		}
		r, err := role(ctx, tx, key)
		if err != nil {
			return err
		}
		if _, err := s.record(ctx, tx, r, version+1, author, true); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM ai_role WHERE code = $1`, key); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM ai_role_label WHERE code = $1`, key)
		return err
	})
}

func unchanged(ctx context.Context, tx *metadb.Tx, key string, version int) error {
	stored, err := role(ctx, tx, key)
	if err != nil {
		return err
	}
	if stored.Version != version {
		return fault.New(fault.Conflict, "role %q was changed by %s meanwhile: it is at version %d", stored.Code, stored.UpdatedBy, stored.Version)
	}
	return nil
}

func lastVersion(ctx context.Context, q metadb.Querier, key string) (int, error) {
	var last int
	err := q.QueryRow(ctx, `SELECT COALESCE(MAX(version), 0) FROM ai_role_version WHERE code = $1`, key).Scan(&last)
	return last, err
}

func (s *Roles) write(ctx context.Context, tx *metadb.Tx, r *Role, version int, author string) error {
	if r.Masking != nil && r.Masking.Empty() {
		r.Masking = nil
	}
	body, err := s.record(ctx, tx, r, version, author, false)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO ai_role (code, version, body) VALUES ($1, $2, $3)
		ON CONFLICT (code) DO UPDATE SET version = excluded.version, body = excluded.body`, r.key(), version, body)
	return err
}

func (s *Roles) record(ctx context.Context, tx *metadb.Tx, r *Role, version int, author string, deleted bool) (body string, err error) {
	r.Version, r.UpdatedBy, r.UpdatedAt = version, author, s.now().UTC().Truncate(time.Microsecond)
	if r.Chain == nil {
		r.Chain = []Entry{}
	}
	encoded, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("write role: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO ai_role_version (code, version, body, deleted) VALUES ($1, $2, $3, $4)`, r.key(), version, string(encoded), deleted)
	return string(encoded), err
}
