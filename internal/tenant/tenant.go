// Package tenant is who may do what: organisations, groups, projects, users,
// memberships, ingest keys, API tokens, passwords and sessions.
//
// One function decides, Store.Can. The package owns no telemetry and knows no
// HTTP: the API asks Can before every operation, the receivers ask
// AuthenticateKey before every request.
package tenant

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/singleflight"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/memo"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/secret"
)

// The kinds of an organisation.
const (
	KindTeam     = "team"
	KindPersonal = "personal" // belongs to one user, has no other members
)

// Organisation is the top of the tree: people and money.
type Organisation struct {
	ID        int64     `json:"id"`
	Kind      string    `json:"kind" enum:"team,personal"`
	Name      string    `json:"name"`
	Version   int64     `json:"version"`
	CreatedAt time.Time `json:"created_at"`
}

// Group is a part of an organisation that owns projects and other groups.
type Group struct {
	ID        int64     `json:"id"`
	OrgID     int64     `json:"org_id"`
	ParentID  int64     `json:"parent_id" doc:"0: at the top"`
	Depth     int       `json:"depth" doc:"1: at the top"`
	Name      string    `json:"name"`
	Version   int64     `json:"version"`
	CreatedAt time.Time `json:"created_at"`
}

// Project is the unit of isolation: every row of telemetry belongs to one.
type Project struct {
	ID        project.ID        `json:"id"`
	OrgID     int64             `json:"org_id"`
	GroupID   int64             `json:"group_id"`
	Name      string            `json:"name"`
	Language  string            `json:"language" enum:"ko,en" doc:"the language reports are written in"`
	Retention project.Retention `json:"retention"`
	Rate      project.Rate      `json:"rate" doc:"spans, log records and samples accepted a second; 0 = no limit"`
	Access    ProjectAccess     `json:"access"`
	Version   int64             `json:"version"`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
	UpdatedBy int64             `json:"updated_by"`
}

// User is a person's account.
type User struct {
	ID           int64     `json:"id"`
	Email        string    `json:"email"`
	Name         string    `json:"name"`
	System       bool      `json:"system" doc:"a system admin: administers every organisation, models and roles"`
	Disabled     bool      `json:"disabled"`
	SecondFactor bool      `json:"second_factor" doc:"signs in with a code besides the password"`
	Version      int64     `json:"version"`
	CreatedAt    time.Time `json:"created_at"`
}

// Member is a user's role in an organisation or in one of its groups.
type Member struct {
	OrgID    int64  `json:"org_id"`
	GroupID  int64  `json:"group_id" doc:"0 = the whole organisation"`
	UserID   int64  `json:"user_id"`
	Email    string `json:"email"`
	Name     string `json:"name"`
	Service  bool   `json:"service" doc:"a service account: no person"`
	Role     Role   `json:"role" enum:"owner,admin,editor,viewer,custom"`
	RoleID   int64  `json:"role_id" doc:"with custom: the organisation's own role"`
	RoleName string `json:"role_name" doc:"with custom"`
	// Permissions are what the role holds.
	Permissions []Action  `json:"permissions"`
	CreatedAt   time.Time `json:"created_at"`
}

// Options configure a Store. DB is required.
type Options struct {
	DB     *metadb.DB
	Sealer *secret.Sealer // nil: nobody can have a second factor
	Log    *slog.Logger
	Now    func() time.Time
}

// Store keeps tenants in the metadata database. It is safe for concurrent use.
type Store struct {
	db      *database
	sealer  *secret.Sealer
	log     *slog.Logger
	now     func() time.Time
	hashing chan struct{} // bounds the memory that logins may take at once

	tokens    memo.Memo[string, Actor] // by digest
	askings   memo.Memo[askingKey, Asking]
	keys      keyCache
	asking    singleflight.Group // by hash
	strangers chan struct{}
	notes     sync.WaitGroup // of the last uses of keys
}

// New returns a store over a migrated database.
func New(opts Options) (*Store, error) {
	if opts.DB == nil {
		return nil, errors.New("tenant: Options.DB is required")
	}
	now := opts.Now
	if now == nil {
		now = time.Now
	}
	return &Store{
		db:        &database{DB: opts.DB},
		sealer:    opts.Sealer,
		log:       cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "tenant"),
		now:       now,
		hashing:   make(chan struct{}, max(2, runtime.GOMAXPROCS(0))),
		keys:      keyCache{entries: map[string]keyEntry{}},
		strangers: make(chan struct{}, strangers),
	}, nil
}

type prune struct{}

// Kind implements river.JobArgs.
func (prune) Kind() string { return "tenant_prune" }

// Register lets q remove sessions and login failures that are over, every hour.
func (s *Store) Register(q *job.Queue) {
	job.Handle(q, func(ctx context.Context, _ prune) error { return s.Prune(ctx) })
	q.Every(time.Hour, func() job.Args { return prune{} })
}

// Prune removes sessions and login failures that are over.
func (s *Store) Prune(ctx context.Context) error {
	now := s.now()
	if _, err := s.db.Exec(ctx, `DELETE FROM login_session WHERE expires_at < $1 OR seen_at < $2`,
		metadb.Micros(now), metadb.Micros(now.Add(-sessionIdle))); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, `DELETE FROM login_failure WHERE last_at < $1`, metadb.Micros(now.Add(-failureMemory)))
	return err
}

// checkName refuses names that a screen could not show.
func checkName(name *string) error {
	*name = strings.TrimSpace(*name)
	switch n := utf8.RuneCountInString(*name); {
	case n == 0:
		return fault.New(fault.Invalid, "a name is required").WithField("name")
	case n > 100:
		return fault.New(fault.Invalid, "a name has at most 100 characters").WithField("name")
	case strings.ContainsFunc(*name, func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }):
		return fault.New(fault.Invalid, "a name has no control characters").WithField("name")
	}
	return nil
}

// changed turns "no row was updated" into what it means: the row exists, so
// its version has moved on.
func changed(n int64, err error) error {
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.Conflict, "somebody else changed this in the meantime: read it again").WithField("version")
	}
	return nil
}

// taken turns a violated unique index on names into the caller's mistake.
func taken(err error, what string) error {
	if metadb.IsUnique(err) {
		return fault.New(fault.Conflict, "%s of this name exists already", what).WithField("name")
	}
	return err
}
