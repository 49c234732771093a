package ai

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// RoleKey is the name under which a role of the owner is stored, and under which
// all that is counted by role is. A code that holds a slash is of no role: it
// could name one of somebody else.
func (o Owner) RoleKey(code string) string {
	if strings.Contains(code, "/") {
		return ""
	}
	return o.key(code)
}

// key is the RoleKey of the role; "" of a question without one.
func (r *Role) key() string { return r.Owner.RoleKey(r.Code) }

// RoleCode is the code that people chose, of a RoleKey.
func RoleCode(key string) string {
	_, code := Owned(key)
	return code
}

// OwnerOf returns the organisation of a project: whose own roles answer its
// calls, before those of the installation do. A project never changes it. When
// it cannot be told there is an error, as the calls of an organisation may need
// more masking than the installation's roles ask for.
func (g *Gateway) OwnerOf(p project.ID) (Owner, error) {
	if g.place == nil || p == 0 {
		return Shared, nil
	}
	at, err := g.locate(p)
	if err != nil {
		return Shared, fmt.Errorf("find the organisation of the project: %w", err)
	}
	return Owner(at.org), nil
}

// reach refuses a role of an organisation for a project of another one, as if
// there were none.
func (g *Gateway) reach(p project.ID, r *Role) error {
	if r.Owner == Shared {
		return nil
	}
	asks, err := g.OwnerOf(p)
	if err == nil && asks != r.Owner {
		err = noRole(r.Code)
	}
	return err
}

// Providers returns the names that the chain of an owner's role may name, sorted.
func (s *Roles) Providers(ctx context.Context, owner Owner) ([]string, error) {
	return s.providers(ctx, owner)
}

func noRole(code string) error {
	return fault.New(fault.NotFound, "role %q does not exist", code)
}

// Reached returns the latest version of the role that calls of an organisation
// reach by its code: its own, or else the installation's; fault.NotFound.
func (s *Roles) Reached(ctx context.Context, org Owner, code string) (*Role, error) {
	own, err := s.Get(ctx, org, code)
	if org == Shared || !fault.Is(err, fault.NotFound) {
		return own, err
	}
	return s.Get(ctx, Shared, code)
}

// Reachable returns, by code, the latest versions of all roles that calls of an
// organisation reach: its own, and of the installation's those without one of
// its own over them.
func (s *Roles) Reachable(ctx context.Context, org Owner) ([]Role, error) {
	shared, err := s.List(ctx, Shared)
	if err != nil || org == Shared {
		return shared, err
	}
	all, err := s.List(ctx, org)
	if err != nil {
		return nil, err
	}
	own := len(all)
	for i := range shared {
		if !slices.ContainsFunc(all[:own], func(r Role) bool { return r.Code == shared[i].Code }) {
			all = append(all, shared[i])
		}
	}
	slices.SortFunc(all, func(a, b Role) int { return strings.Compare(a.Code, b.Code) })
	return all, nil
}

// Offered returns the installation's roles by code, as organisations see them:
// the version in production, without who made it and why.
func (s *Roles) Offered(ctx context.Context) ([]Role, error) {
	return s.offered(ctx, "")
}

// OfferedAs is one of Offered; fault.NotFound.
func (s *Roles) OfferedAs(ctx context.Context, code string) (*Role, error) {
	key := Shared.RoleKey(code)
	if key == "" {
		return nil, noRole(code)
	}
	found, err := s.offered(ctx, key)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, noRole(code)
	}
	return &found[0], nil
}

func (s *Roles) offered(ctx context.Context, key string) ([]Role, error) {
	where, pattern := Shared.within(`r.code`)
	rows, err := s.db.Query(ctx, `SELECT v.body FROM ai_role r JOIN ai_role_label l ON l.code = r.code AND l.label = '`+Production+`'
		JOIN ai_role_version v ON v.code = r.code AND v.version = l.version
		WHERE `+where+` AND ($2 = '' OR r.code = $2) ORDER BY r.code`, pattern, key)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (Role, error) {
		r, err := scanRole(rows)
		r.UpdatedBy, r.Notes = "", ""
		return r, err
	})
}

// Adopt makes an organisation's own role out of the installation's of that code,
// as it is in production: its calls go on as they were, and change with what its
// people make of it. fault.Conflict when it has one.
func (s *Roles) Adopt(ctx context.Context, org Owner, code, author string) (*Role, error) {
	r, err := s.OfferedAs(ctx, code)
	if err != nil {
		return nil, err
	}
	from := r.Version
	r.Owner, r.Version, r.Notes = org, 0, fmt.Sprintf("Copy of the installation's version %d", from)
	return s.Create(ctx, *r, author)
}

// Override says what becomes of a protected label that somebody wants to move.
type Override int

// What one may do with a protected label.
const (
	AskFirst  Override = iota // nothing before one says that one means it
	Meant                     // move it
	Forbidden                 // nothing: one may not
)

// refuse is the error of who may not move a label; nil of who may.
func (o Override) refuse(l *Label) error {
	switch {
	case l == nil || !l.Protected || o == Meant:
		return nil
	case o == Forbidden:
		return fault.New(fault.Denied, "label %q is protected: an administrator of the organisation moves it", l.Name).WithField("label")
	}
	return fault.New(fault.Conflict, "label %q is protected: say that you mean it", l.Name).WithField("override")
}
