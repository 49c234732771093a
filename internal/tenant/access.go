package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Role is what a member is in an organisation or a group, strongest first:
// owner, admin, editor, viewer, or one that the organisation has made.
type Role string

// The roles.
const (
	Owner  Role = "owner"
	Admin  Role = "admin"
	Editor Role = "editor"
	Viewer Role = "viewer"
	// Custom is a role of the organisation's own, which a number names.
	Custom Role = "custom"
)

// Roles lists the roles of the product, strongest first.
var Roles = []Role{Owner, Admin, Editor, Viewer}

// covers reports whether r is at least min. The empty role covers nothing.
func (r Role) covers(min Role) bool {
	mine := slices.Index(Roles, r)
	return mine >= 0 && mine <= slices.Index(Roles, min)
}

// Actor is who asks: a user by session, or a user's or service account's API token.
type Actor struct {
	UserID  int64
	Name    string
	System  bool   // system admin
	Service bool   // a service account
	Token   *Token // nil for a session
}

// Allows reports whether the actor's token, if any, covers act at all; what the
// actor may do to a target is for Can to say.
func (a Actor) Allows(act Action) bool {
	return a.Token == nil || slices.ContainsFunc(requirements[act].scopes, a.Token.has)
}

// Action is one thing the API can do for somebody.
type Action string

// The actions.
const (
	SelfRead     Action = "self.read"     // read my own account
	SelfWrite    Action = "self.write"    // change my password, make tokens: by session only
	OrgList      Action = "org.list"      // list the organisations I can see
	OrgRead      Action = "org.read"      // see an organisation and those of its groups I am in
	OrgMembers   Action = "org.members"   // see who is in an organisation
	OrgAdmin     Action = "org.admin"     // change an organisation, its groups and members, its model providers and budgets
	OrgAudit     Action = "org.audit"     // read an organisation's audit log
	OrgAI        Action = "org.ai"        // edit an organisation's own AI roles
	GroupRead    Action = "group.read"    // see a group and its members
	GroupAdmin   Action = "group.admin"   // change a group and its members, make projects
	ProjectList  Action = "project.list"  // list the projects I can read
	ProjectRead  Action = "project.read"  // read a project's telemetry and incidents
	ProjectAsk   Action = "project.ask"   // ask AI roles on behalf of a project
	ProjectModel Action = "project.model" // ask models by name, without a role
	ProjectSave  Action = "project.save"  // keep searches of my own beside the project
	ProjectWrite Action = "project.write" // work on incidents, edit rules and channels
	ProjectAdmin Action = "project.admin" // settings, ingest keys, archiving
	OrgOwner     Action = "org.owner"     // make and unmake owners
	DataSQL      Action = "data.sql"      // see the values in SQL statements
	DataPersonal Action = "data.personal" // see personal data in what services tell
	DataPrompts  Action = "data.prompts"  // see what was said to models and by them, unmasked
	SystemAdmin  Action = "system.admin"  // organisations, accounts, what all organisations share of MATRIX AI
)

// requirement is what an action needs.
type requirement struct {
	// role is the weakest of the product's roles that holds it, at the target or
	// above; a role that an organisation has made holds what it lists.
	role Role
	// within: a role in any group of the target organisation is enough.
	within bool
	// system: a system admin may do it in any team without being a member.
	// Telemetry is not among these: who wants to read a project must become a
	// member, which leaves a row that says so.
	system bool
	// scopes: a token needs one of these; none means only a session will do.
	scopes []Scope
}

var requirements = map[Action]requirement{
	SelfRead:     {scopes: Scopes},
	SelfWrite:    {},
	OrgList:      {scopes: []Scope{ScopeOrgRead, ScopeOrgAdmin}},
	OrgRead:      {role: Viewer, within: true, system: true, scopes: []Scope{ScopeOrgRead, ScopeOrgAdmin}},
	OrgMembers:   {role: Viewer, system: true, scopes: []Scope{ScopeOrgRead, ScopeOrgAdmin}},
	OrgAdmin:     {role: Admin, system: true, scopes: []Scope{ScopeOrgAdmin}},
	OrgAudit:     {role: Admin, system: true, scopes: []Scope{ScopeOrgAdmin}},
	OrgAI:        {role: Editor, system: true, scopes: []Scope{ScopeOrgAdmin}},
	GroupRead:    {role: Viewer, system: true, scopes: []Scope{ScopeOrgRead, ScopeOrgAdmin}},
	GroupAdmin:   {role: Admin, system: true, scopes: []Scope{ScopeOrgAdmin}},
	ProjectList:  {scopes: []Scope{ScopeProjectRead, ScopeProjectWrite, ScopeProjectAdmin, ScopeAIAsk, ScopeAIModel}},
	ProjectRead:  {role: Viewer, scopes: []Scope{ScopeProjectRead, ScopeProjectWrite, ScopeProjectAdmin}},
	ProjectAsk:   {role: Viewer, scopes: []Scope{ScopeAIAsk, ScopeAIModel}},
	ProjectModel: {role: Editor, scopes: []Scope{ScopeAIModel}},
	ProjectSave:  {role: Viewer, scopes: []Scope{ScopeProjectWrite, ScopeProjectAdmin}},
	ProjectWrite: {role: Editor, scopes: []Scope{ScopeProjectWrite, ScopeProjectAdmin}},
	ProjectAdmin: {role: Admin, scopes: []Scope{ScopeProjectAdmin}},
	OrgOwner:     {role: Owner, scopes: []Scope{ScopeOrgAdmin}},
	DataSQL:      {role: Editor, scopes: []Scope{ScopeProjectRead, ScopeProjectWrite, ScopeProjectAdmin}},
	DataPersonal: {role: Admin, scopes: []Scope{ScopeDataUnmasked}},
	DataPrompts:  {role: Admin, scopes: []Scope{ScopeDataUnmasked}},
	SystemAdmin:  {system: true, scopes: []Scope{ScopeSystemAdmin}},
}

// Target is what an action is done to: one of the three, or none (the system,
// or the actor's own account).
type Target struct {
	Org     int64
	Group   int64
	Project project.ID
}

// Can returns nil when a may do act to target. Otherwise the error is a fault:
// Unauthenticated without an actor, Denied when a may see the target but not do
// this, and NotFound when a may not know that the target exists.
func (s *Store) Can(ctx context.Context, a Actor, act Action, target Target) error {
	_, err := s.Allow(ctx, a, act, target)
	return err
}

// Place is where a target is, for whom may know that it exists, and what they
// see there unmasked.
type Place struct {
	Org, Group int64
	Project    project.ID
	Sees       Sees
}

// Allow is Can, and says where the target is. It does so also when a is denied:
// a knows that the target exists.
func (s *Store) Allow(ctx context.Context, a Actor, act Action, target Target) (Place, error) {
	need, known := requirements[act]
	switch {
	case !known:
		return Place{}, fault.New(fault.Internal, "unknown action %q", act)
	case a.UserID == 0:
		return Place{}, fault.New(fault.Unauthenticated, "sign in, or send an API token")
	case !a.Allows(act):
		return Place{}, fault.New(fault.Denied, "this token's scopes do not include %s", act)
	case need.role == "" && !need.system: // about the actor, or a list of what the actor may see
		return Place{}, nil
	case act == SystemAdmin:
		if !a.System {
			return Place{}, fault.New(fault.Denied, "only a system admin may do this")
		}
		return Place{}, nil
	}
	at, err := s.standing(ctx, s.db, a, target)
	if err != nil {
		return Place{}, err
	}
	// Actions on groups and projects count the roles in all that they are in
	// together; on an organisation a role in one of its groups counts only where
	// within says so.
	switch {
	case at.has.has(act), need.within && at.within, need.system && at.systemAdmin:
		return at.place, nil
	case at.has != 0 || at.within || at.systemAdmin:
		return at.place, fault.New(fault.Denied, "your role does not allow %s here", act)
	}
	return Place{}, notFound(target)
}

func notFound(target Target) error {
	switch {
	case target.Project != 0:
		return fault.New(fault.NotFound, "project %s does not exist", target.Project)
	case target.Group != 0:
		return fault.New(fault.NotFound, "group %d does not exist", target.Group)
	default:
		return fault.New(fault.NotFound, "organisation %d does not exist", target.Org)
	}
}

// standing is what an actor is at a target.
type standing struct {
	place       Place
	has         permissions // of the roles in the target and in what it is in
	within      bool        // has a role in some group of the target organisation
	systemAdmin bool        // is a system admin, and the organisation is a team
}

// mayGive reports whether who stands there may give or take what is in set:
// nobody gives more than they have.
func (at standing) mayGive(set permissions) bool { return at.systemAdmin || at.has.covers(set) }

// held is a role that somebody has somewhere.
type held struct {
	group int64
	set   permissions
}

// scanHeld reads m.group_id, m.role and the permissions of a role of the
// organisation's own.
func scanHeld(r *metadb.Rows) (h held, err error) {
	var role Role
	var own json.RawMessage
	if err := r.Scan(&h.group, &role, &own); err != nil {
		return h, err
	}
	if role != Custom {
		h.set = builtIn[role]
		return h, nil
	}
	var acts []Action
	err = json.Unmarshal(own, &acts)
	h.set = read(acts)
	return h, err
}

const heldColumns = `m.group_id, m.role, COALESCE(r.permissions, '[]')`

// standing looks up the target and the actor's roles there. A target that does
// not exist is NotFound.
func (s *Store) standing(ctx context.Context, q metadb.Querier, a Actor, target Target) (standing, error) {
	const columns = `SELECT o.id, o.kind, `
	at := standing{place: Place{Project: target.Project}}
	var kind, path, visibility string
	var sql, personal, prompts string
	var err error
	switch {
	case target.Project != 0:
		err = q.QueryRow(ctx, columns+`p.group_id, g.path, p.visibility, p.show_sql, p.show_personal, p.show_prompts
			FROM project p JOIN organisation o ON o.id = p.org_id JOIN project_group g ON g.id = p.group_id
			WHERE p.id = $1 AND p.archived_at = 0`, target.Project).Scan(&at.place.Org, &kind, &at.place.Group, &path, &visibility, &sql, &personal, &prompts)
	case target.Group != 0:
		err = q.QueryRow(ctx, columns+`g.id, g.path FROM project_group g JOIN organisation o ON o.id = g.org_id
			WHERE g.id = $1`, target.Group).Scan(&at.place.Org, &kind, &at.place.Group, &path)
	default:
		err = q.QueryRow(ctx, columns+`0 FROM organisation o WHERE o.id = $1`, target.Org).Scan(&at.place.Org, &kind, &at.place.Group)
	}
	if errors.Is(err, metadb.ErrNoRows) {
		return standing{}, notFound(target)
	}
	if err != nil {
		return standing{}, err
	}
	at.systemAdmin = a.System && kind == KindTeam
	rows, err := q.Query(ctx, `SELECT `+heldColumns+` FROM membership m LEFT JOIN org_role r ON r.id = m.role_id AND r.org_id = m.org_id
		WHERE m.org_id = $1 AND m.user_id = $2`, at.place.Org, a.UserID)
	mine, err := metadb.Collect(rows, err, scanHeld)
	for _, m := range mine {
		switch {
		case m.group == 0 || strings.Contains(path, "/"+strconv.FormatInt(m.group, 10)+"/"):
			at.has |= m.set
		default:
			at.within = at.within || target == Target{Org: at.place.Org}
		}
		if visibility == VisibleToOrganisation && m.set.has(ProjectRead) {
			at.has |= bits[ProjectRead] | bits[ProjectSave]
		}
	}
	if target.Project != 0 {
		sees := func(act Action) bool { return at.has.has(act) && a.Allows(act) }
		at.place.Sees = Sees{shown(sql, sees(DataSQL)), shown(personal, sees(DataPersonal)), shown(prompts, sees(DataPrompts))}
	}
	return at, err
}
