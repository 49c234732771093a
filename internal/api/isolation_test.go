package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/tenant/oidc"
)

// Who may call an operation on project, group or organisation A, one letter
// per caller: o it works, d 403, h 404, a 401. The callers, in this order:
//
//	anonymous · owner of organisation B · viewer, editor, admin, owner of A ·
//	system admin (no member) · token of A's owner with every scope · token of
//	A's owner with a scope for something else
const (
	anybody       = "oooooooooo"
	signedIn      = "aooooooooo"
	bySession     = "aooooo" + "oddo"
	listsProjects = "aooooo" + "oodo"
	listsOrgs     = "aooooo" + "oodo"
	readsProject  = "ahoooododo"
	writesProject = "ahdooododo"
	adminsProject = "ahddoododo"
	readsOrg      = "ahooooood" + "o" // a member of one of its groups sees the organisation
	readsMembers  = "ahooooood" + "d"
	adminsOrg     = "ahddooood" + "d"
	editsOrg      = "ahdoooood" + "d" // the AI roles of an organisation
	adminsGroup   = "ahddooood" + "o"
	system        = "adddddoddd"
	playsProject  = "ahdooododd"      // a member who edits roles of the organisation
	makesTokens   = "ahddooo" + "ddd" // an admin of the organisation, by session: no token makes another
	triesNowhere  = "ahdddddddd"      // takes a member who edits roles of the installation
)

var callers = []string{"anonymous", "owner of B", "viewer", "editor", "admin", "owner", "system admin", "token with scope", "token without scope", "admin of the group"}

// request fills an operation's path, query, body and If-Match.
type request struct {
	path  map[string]any // beside project, group and org, which the place gives
	query string
	body  any
	etag  string
}

// row is what is expected of one operation.
type row struct {
	who    string
	status int
	// make prepares a request about a place; it runs before each call, so that
	// each finds its own row to change. Nil asks for the place alone.
	make func(p *place) request
	// crossed prepares a request whose path names A but whose last id is B's:
	// the answer must be 404. Nil when there is no id below the place.
	crossed func(b *place) request
}

func table(h *house) map[string]row {
	ids := func(name string, id any) request { return request{path: map[string]any{name: id}} }
	asks := func(query string) func(*place) request {
		return func(*place) request { return request{query: query} }
	}
	named := func(p *place) request { return request{body: Named{p.h.unique("made-by-" + p.canary)}} }
	member := func(p *place) request {
		return request{body: MemberRequest{Email: p.newUser(), Role: tenant.Viewer}}
	}
	experiment := func(status int, of func(*place) int64) row {
		return row{who: playsProject, status: status, make: func(p *place) request { return ids("experiment", of(p)) },
			crossed: func(b *place) request { return ids("experiment", b.experiment) }}
	}
	ownRole := func(p *place) request { return ids("role", p.newOrgRole()) }
	ofB := func(b *place) request { return ids("role", b.role) }
	edit := func(code string) request {
		return request{path: map[string]any{"role": code}, body: RoleChange{RoleRequest: roleBody(), Draft: true}, etag: `"v1"`}
	}
	label := func(code string) request {
		return request{path: map[string]any{"role": code, "label": "candidate"}, body: LabelRequest{Version: 1}}
	}
	acknowledges := func(id int64) request {
		return request{path: map[string]any{"incident": id}, body: IncidentChange{State: incident.Acknowledged}}
	}
	ofOrgBudget := func(p *place) request { return ids("budget", h.newBudget(ai.Owner(p.org))) }
	ofService := row{who: readsProject, status: 200, make: func(p *place) request { return ids("service", p.canary) },
		crossed: func(b *place) request { return ids("service", b.canary) }}
	return map[string]row{
		// The system, and oneself.
		"health":  {who: anybody, status: 200},
		"ready":   {who: anybody, status: 200},
		"version": {who: anybody, status: 200},
		"login":   {who: anybody, status: 200, make: func(*place) request { return request{body: Login{Email: h.first.Email, Password: h.first.Password}} }},
		"logout":  {who: anybody, status: 200},
		"me":      {who: signedIn, status: 200},
		"change-password": {who: bySession, status: 422, make: func(*place) request { // what is not one's own password is refused
			return request{body: PasswordChange{"not my password", "a new long password"}}
		}},
		"list-tokens": {who: bySession, status: 200},
		"create-token": {who: bySession, status: 201, make: func(*place) request {
			return request{body: TokenRequest{"t", []tenant.Scope{tenant.ScopeProjectRead}, h.soon()}}
		}},
		"revoke-token": {who: bySession, status: 404, make: func(*place) request { return ids("token", h.foreign) }}, // somebody else's

		"list-sign-in-providers": {who: anybody, status: 200},
		"begin-oidc-login":       {who: anybody, status: 303, make: func(*place) request { return ids("provider", "none") }}, // to the page that says so
		"finish-oidc-login":      {who: anybody, status: 303, make: func(*place) request { return ids("provider", "none") }},
		"list-oidc-providers":    {who: system, status: 200},
		"create-oidc-provider": {who: system, status: 201, make: func(*place) request {
			return request{body: NewOIDCProviderRequest{Code: h.unique("idp"), OIDCProviderRequest: oidcBody()}}
		}},
		"get-oidc-provider": {who: system, status: 200, make: func(*place) request { return ids("provider", h.newOIDC()) }},
		"update-oidc-provider": {who: system, status: 200, make: func(*place) request {
			return request{path: map[string]any{"provider": h.newOIDC()}, body: oidcBody(), etag: `"v1"`}
		}},
		"delete-oidc-provider": {who: system, status: 204, make: func(*place) request {
			return request{path: map[string]any{"provider": h.newOIDC()}, etag: `"v1"`}
		}},
		"check-oidc-provider": {who: system, status: 422, make: func(*place) request { return ids("provider", h.newOIDC()) }}, // nobody answers there
		"list-sessions":       {who: bySession, status: 200},
		"end-session":         {who: bySession, status: 404, make: func(*place) request { return ids("session", "0123456789abcdef") }}, // nobody's
		"end-other-sessions":  {who: bySession, status: 204},
		"get-second-factor":   {who: bySession, status: 200},
		"begin-second-factor": {who: bySession, status: 422, make: func(*place) request { // as with change-password
			return request{body: PasswordAgain{"not my password"}}
		}},
		"confirm-second-factor": {who: bySession, status: 422, make: func(*place) request { return request{body: CodeRequest{"000000"}} }},
		"renew-recovery-codes":  {who: bySession, status: 422, make: func(*place) request { return request{body: CodeRequest{"000000"}} }},
		"remove-second-factor": {who: bySession, status: 422, make: func(*place) request {
			return request{body: SecondFactorEnd{"not my password", "000000"}}
		}},

		// Accounts.
		"list-user-sessions":  {who: system, status: 200, make: func(p *place) request { return ids("user", p.user(p.newUser())) }},
		"end-user-sessions":   {who: system, status: 204, make: func(p *place) request { return ids("user", p.user(p.newUser())) }},
		"reset-second-factor": {who: system, status: 204, make: func(p *place) request { return ids("user", p.user(p.newUser())) }},
		"unlink-user":         {who: system, status: 204, make: func(p *place) request { return ids("user", p.user(p.newUser())) }},
		"get-sign-in-demand":  {who: system, status: 200},
		"set-sign-in-demand":  {who: system, status: 200, make: func(*place) request { return request{body: DemandRequest{false}} }}, // or nobody could call the rest
		"list-users":          {who: system, status: 200},
		"create-user": {who: system, status: 201, make: func(*place) request {
			return request{body: UserRequest{Email: h.unique("new") + "@example.com"}}
		}},
		"get-user": {who: system, status: 200, make: func(p *place) request { return ids("user", p.user(p.newUser())) }},
		"update-user": {who: system, status: 200, make: func(p *place) request {
			return request{path: map[string]any{"user": p.user(p.newUser())}, etag: `"v1"`, body: tenant.UserChange{Name: "renamed"}}
		}},

		// Organisations and groups.
		"get-provisioning": {who: adminsOrg, status: 200},
		"create-directory-token": {who: system, status: 201, make: func(*place) request {
			return request{body: DirectoryTokenRequest{h.unique("directory"), tenant.Viewer}}
		}},
		"revoke-directory-token": {who: adminsOrg, status: 204, make: func(p *place) request { return ids("token", p.newDirectoryToken()) },
			crossed: func(b *place) request { return ids("token", b.newDirectoryToken()) }},
		"get-org-sign-in-demand": {who: adminsOrg, status: 200},
		"set-org-sign-in-demand": {who: adminsOrg, status: 200, make: func(*place) request { return request{body: DemandRequest{false}} }},
		"list-orgs":              {who: listsOrgs, status: 200},
		"create-org":             {who: system, status: 201, make: named},
		"get-org":                {who: readsOrg, status: 200},
		"rename-org": {who: adminsOrg, status: 200, make: func(p *place) request {
			return request{body: Named{"org-" + p.canary}, etag: p.version(`SELECT version FROM organisation WHERE id = $1`, p.org)}
		}},
		"list-org-members": {who: readsMembers, status: 200},
		"set-org-member":   {who: adminsOrg, status: 204, make: member},
		"remove-org-member": {who: adminsOrg, status: 204, make: func(p *place) request { return ids("user", p.newMember(0)) },
			crossed: func(b *place) request { return ids("user", b.newMember(0)) }},
		"list-audit":        {who: system, status: 200},
		"export-audit":      {who: system, status: 200, make: asks("format=ndjson")},
		"list-org-audit":    {who: adminsOrg, status: 200},
		"export-org-audit":  {who: adminsOrg, status: 200},
		"list-permissions":  {who: signedIn, status: 200},
		"list-member-roles": {who: readsMembers, status: 200},
		"create-member-role": {who: adminsOrg, status: 201, make: func(p *place) request {
			return request{body: tenant.RoleSettings{Name: h.unique("made-by-" + p.canary), Permissions: []tenant.Action{tenant.ProjectRead}}}
		}},
		"update-member-role": {who: adminsOrg, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"member_role": p.newMemberRole()}, body: tenant.RoleSettings{Name: h.unique("renamed-" + p.canary), Permissions: []tenant.Action{}}, etag: `"v1"`}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"member_role": b.newMemberRole()}, body: tenant.RoleSettings{Name: h.unique("crossed"), Permissions: []tenant.Action{}}, etag: `"v1"`}
			}},
		"delete-member-role": {who: adminsOrg, status: 204,
			make: func(p *place) request {
				return request{path: map[string]any{"member_role": p.newMemberRole()}, etag: `"v1"`}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"member_role": b.newMemberRole()}, etag: `"v1"`}
			}},
		"move-group": {who: adminsOrg, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"child": p.newSubgroup()}, body: map[string]any{"parent_id": 0}, etag: `"v1"`}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"child": b.newSubgroup()}, body: map[string]any{"parent_id": 0}, etag: `"v1"`}
			}},
		"create-subgroup":  {who: adminsGroup, status: 201, make: named},
		"list-invitations": {who: adminsOrg, status: 200},
		"create-invitation": {who: adminsOrg, status: 201, make: func(*place) request {
			return request{body: InvitationRequest{Role: tenant.Viewer, ExpiresAt: h.soon()}}
		}},
		"revoke-invitation": {who: adminsOrg, status: 204, make: func(p *place) request { return ids("invitation", p.newInvitation(0).ID) },
			crossed: func(b *place) request { return ids("invitation", b.newInvitation(0).ID) }},
		"look-up-invitation": {who: anybody, status: 200, make: func(*place) request { return request{body: InvitationSecret{h.newInvitation()}} }},
		"accept-invitation":  {who: bySession, status: 404, make: func(*place) request { return request{body: InvitationSecret{"none"}} }},
		"join-by-invitation": {who: anybody, status: 201, make: func(*place) request {
			return request{body: JoinRequest{InvitationSecret: InvitationSecret{h.newInvitation()}, Email: h.unique("joins") + "@example.com", Password: "a new long password"}}
		}},
		"list-service-accounts": {who: adminsOrg, status: 200},
		"create-service-account": {who: adminsOrg, status: 201, make: func(p *place) request {
			return request{body: ServiceAccountRequest{Name: h.unique("made-by-" + p.canary), Role: tenant.Viewer}}
		}},
		"update-service-account": {who: adminsOrg, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"account": p.newService()}, body: tenant.ServiceAccountChange{Name: "renamed-" + p.canary}, etag: `"v1"`}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"account": b.newService()}, body: tenant.ServiceAccountChange{Name: "crossed"}, etag: `"v1"`}
			}},
		"list-service-tokens": {who: adminsOrg, status: 200, make: func(p *place) request { return ids("account", p.newService()) },
			crossed: func(b *place) request { return ids("account", b.newService()) }},
		"create-service-token": {who: makesTokens, status: 201,
			make: func(p *place) request {
				return request{path: map[string]any{"account": p.newService()}, body: TokenRequest{"t", []tenant.Scope{tenant.ScopeProjectRead}, h.soon()}}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"account": b.newService()}, body: TokenRequest{"t", []tenant.Scope{tenant.ScopeProjectRead}, h.soon()}}
			}},
		"revoke-service-token": {who: adminsOrg, status: 204, make: func(p *place) request { return request{path: p.newServiceToken()} },
			crossed: func(b *place) request { return request{path: b.newServiceToken()} }},
		"list-groups":        {who: readsOrg, status: 200},
		"create-group":       {who: adminsOrg, status: 201, make: named},
		"get-group":          {who: readsOrg, status: 200},
		"rename-group":       {who: adminsGroup, status: 200, make: func(p *place) request { return request{body: Named{"group-" + p.canary}, etag: p.groupVersion()} }},
		"delete-group":       {who: adminsGroup, status: 409, make: func(p *place) request { return request{etag: p.groupVersion()} }}, // it has a project
		"list-group-members": {who: readsOrg, status: 200},
		"set-group-member":   {who: adminsGroup, status: 204, make: member},
		"remove-group-member": {who: adminsGroup, status: 204, make: func(p *place) request { return ids("user", p.newMember(p.group)) },
			crossed: func(b *place) request { return ids("user", b.newMember(b.group)) }},
		"list-group-invitations": {who: adminsGroup, status: 200},
		"create-group-invitation": {who: adminsGroup, status: 201, make: func(*place) request {
			return request{body: InvitationRequest{Role: tenant.Viewer, ExpiresAt: h.soon()}}
		}},
		"revoke-group-invitation": {who: adminsGroup, status: 204, make: func(p *place) request { return ids("invitation", p.newInvitation(p.group).ID) },
			crossed: func(b *place) request { return ids("invitation", b.newInvitation(b.group).ID) }},
		"list-group-projects": {who: readsOrg, status: 200},
		"create-project": {who: adminsGroup, status: 201, make: func(p *place) request {
			return request{body: tenant.ProjectSettings{Name: h.unique("made-by-" + p.canary)}}
		}},

		// Projects.
		"list-projects": {who: listsProjects, status: 200},
		"get-project":   {who: readsProject, status: 200},
		"update-project": {who: adminsProject, status: 200, make: func(p *place) request {
			return request{body: tenant.ProjectSettings{Name: "project-" + p.canary}, etag: p.projectVersion()}
		}},
		"delete-project": {who: adminsProject, status: 412, make: func(*place) request { return request{etag: `"v999999"`} }}, // kept for the rest of the table
		"list-keys":      {who: adminsProject, status: 200},
		"create-key":     {who: adminsProject, status: 201, make: named},
		"revoke-key": {who: adminsProject, status: 204, make: func(p *place) request { return ids("key", p.newKey()) },
			crossed: func(b *place) request { return ids("key", b.newKey()) }},
		"get-setup":   {who: readsProject, status: 200},
		"get-storage": {who: readsProject, status: 200},

		// Telemetry.
		"list-transactions":        {who: readsProject, status: 200},
		"count-transactions":       {who: readsProject, status: 200},
		"get-scatter":              {who: readsProject, status: 200},
		"get-heatmap":              {who: readsProject, status: 200},
		"get-differences":          {who: readsProject, status: 200, make: func(*place) request { return request{query: "sel_min_ns=1"} }},
		"get-sampling":             {who: readsProject, status: 200},
		"list-resource-attributes": {who: readsProject, status: 200},
		"list-views":               {who: readsProject, status: 200},
		"create-view": {who: readsProject, status: 201, make: func(p *place) request {
			return request{body: NewViewRequest{Kind: "transactions", ViewRequest: p.viewBody()}}
		}},
		"update-view": {who: writesProject, status: 200, // these are the owner's: a viewer may change their own only
			make: func(p *place) request {
				return request{path: map[string]any{"view": p.newView()}, body: p.viewBody(), etag: `"v1"`}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"view": b.view}, body: b.viewBody(), etag: `"v1"`}
			}},
		"delete-view": {who: writesProject, status: 204, make: func(p *place) request { return ids("view", p.newView()) },
			crossed: func(b *place) request { return ids("view", b.view) }},
		"list-dashboards":  {who: readsProject, status: 200},
		"create-dashboard": {who: writesProject, status: 201, make: func(p *place) request { return request{body: p.dashboardBody()} }},
		"import-dashboard": {who: writesProject, status: 201, make: func(p *place) request { return request{body: p.dashboardBody()} }},
		"get-dashboard": {who: readsProject, status: 200, make: func(p *place) request { return ids("dashboard", p.dashboard) },
			crossed: func(b *place) request { return ids("dashboard", b.dashboard) }},
		"update-dashboard": {who: writesProject, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"dashboard": p.newDashboard()}, body: p.dashboardBody(), etag: `"v1"`}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"dashboard": b.dashboard}, body: b.dashboardBody(), etag: `"v1"`}
			}},
		"delete-dashboard": {who: writesProject, status: 204,
			make: func(p *place) request {
				return request{path: map[string]any{"dashboard": p.newDashboard()}, etag: `"v1"`}
			},
			crossed: func(b *place) request { return request{path: map[string]any{"dashboard": b.dashboard}, etag: `"v1"`} }},
		"get-dashboard-history": {who: readsProject, status: 200, make: func(p *place) request { return ids("dashboard", p.dashboard) },
			crossed: func(b *place) request { return ids("dashboard", b.dashboard) }},
		"get-trace": {who: readsProject, status: 200, make: func(p *place) request { return ids("trace", p.trace) },
			crossed: func(b *place) request { return ids("trace", b.trace) }},
		"get-span": {who: readsProject, status: 200, make: func(p *place) request {
			return request{path: map[string]any{"trace": p.trace, "span": "0000000000000002"}}
		}, crossed: func(b *place) request {
			return request{path: map[string]any{"trace": b.trace, "span": "0000000000000002"}}
		}},
		"search-trace": {who: readsProject, status: 200, make: func(p *place) request { return ids("trace", p.trace) }},
		"download-trace": {who: readsProject, status: 200, make: func(p *place) request { return ids("trace", p.trace) },
			crossed: func(b *place) request { return ids("trace", b.trace) }},
		"compare-trace": {who: readsProject, status: 200, make: func(p *place) request { return ids("trace", p.trace) },
			crossed: func(b *place) request { return ids("trace", b.trace) }},
		"get-profile": {who: readsProject, status: 200, make: func(p *place) request { return ids("trace", p.trace) },
			crossed: func(b *place) request { return ids("trace", b.trace) }},
		"list-services":  {who: readsProject, status: 200},
		"get-service":    ofService,
		"list-endpoints": ofService,
		"list-instances": ofService,
		"list-versions":  ofService,
		"list-hosts":     {who: readsProject, status: 200},
		"get-host": {who: readsProject, status: 200, make: func(p *place) request { return ids("host", p.canary) },
			crossed: func(b *place) request { return ids("host", b.canary) }},
		"list-statements": {who: readsProject, status: 200},
		"get-statement": {who: readsProject, status: 200, make: func(p *place) request { return ids("statement", p.statement()) },
			crossed: func(b *place) request { return ids("statement", b.statement()) }},

		"list-profile-kinds": {who: readsProject, status: 200, make: func(p *place) request { return request{query: "service=" + p.canary} }},
		"get-flame-graph":    {who: readsProject, status: 200, make: func(p *place) request { return request{query: "service=" + p.canary + "&kind=slow_spans"} }},

		"search-logs": {who: readsProject, status: 200},
		"tail-logs":   {who: readsProject, status: 200},
		"count-logs":  {who: readsProject, status: 200},
		"group-logs":  {who: readsProject, status: 200},
		"log-fields":  {who: readsProject, status: 200},
		"get-log": {who: readsProject, status: 200, make: func(p *place) request { return ids("log", p.log) },
			crossed: func(b *place) request { return ids("log", b.log) }},
		"log-context": {who: readsProject, status: 200, make: func(p *place) request { return ids("log", p.log) },
			crossed: func(b *place) request { return ids("log", b.log) }},
		// The Prometheus HTTP API.
		"prometheus-query":                {who: readsProject, status: 200, make: asks("query=up")},
		"prometheus-query-by-post":        {who: readsProject, status: 200, make: asks("query=up")},
		"prometheus-query-range":          {who: readsProject, status: 200, make: asks("query=up&start=0&end=1&step=1")},
		"prometheus-query-range-by-post":  {who: readsProject, status: 200, make: asks("query=up&start=0&end=1&step=1")},
		"prometheus-series":               {who: readsProject, status: 200, make: asks("match[]=up")},
		"prometheus-series-by-post":       {who: readsProject, status: 200, make: asks("match[]=up")},
		"prometheus-labels":               {who: readsProject, status: 200},
		"prometheus-labels-by-post":       {who: readsProject, status: 200},
		"prometheus-label-values":         {who: readsProject, status: 200, make: func(*place) request { return ids("label", "job") }},
		"prometheus-metadata":             {who: readsProject, status: 200},
		"prometheus-format-query":         {who: readsProject, status: 200, make: asks("query=up")},
		"prometheus-format-query-by-post": {who: readsProject, status: 200, make: asks("query=up")},
		"prometheus-buildinfo":            {who: readsProject, status: 200},
		"prometheus-targets":              {who: readsProject, status: 200},
		"get-scrape":                      {who: readsProject, status: 200},
		"get-map":                         {who: readsProject, status: 200},
		"list-edges":                      {who: readsProject, status: 200},

		"jaeger-services":           {who: readsProject, status: 200},
		"jaeger-service-operations": {who: readsProject, status: 200, make: func(p *place) request { return ids("service", p.canary) }},
		"jaeger-operations":         {who: readsProject, status: 200, make: func(p *place) request { return request{query: "service=" + p.canary} }},
		"jaeger-find":               {who: readsProject, status: 200, make: func(p *place) request { return request{query: "service=" + p.canary} }},
		"jaeger-trace": {who: readsProject, status: 200, make: func(p *place) request { return ids("trace", p.trace) },
			crossed: func(b *place) request { return ids("trace", b.trace) }},
		"jaeger-dependencies":  {who: readsProject, status: 200},
		"jaeger-v3-services":   {who: readsProject, status: 200},
		"jaeger-v3-operations": {who: readsProject, status: 200, make: func(p *place) request { return request{query: "service=" + p.canary} }},
		"jaeger-v3-find":       {who: readsProject, status: 200, make: func(p *place) request { return request{query: "query.service_name=" + p.canary} }},
		"jaeger-v3-trace": {who: readsProject, status: 200, make: func(p *place) request { return ids("trace", p.trace) },
			crossed: func(b *place) request { return ids("trace", b.trace) }},

		"list-ai-calls":       {who: readsProject, status: 200},
		"list-ai-call-facets": {who: readsProject, status: 200},
		"list-ai-call-askers": {who: readsProject, status: 200},
		"get-ai-spending":     {who: readsProject, status: 200},
		"get-ai-call": {who: readsProject, status: 200, make: func(p *place) request { return ids("call", p.call) },
			crossed: func(b *place) request { return ids("call", b.call) }},
		"get-ai-call-originals": {who: adminsProject, status: 200, make: func(p *place) request { return ids("call", p.call) },
			crossed: func(b *place) request { return ids("call", b.call) }},
		"get-ai-masking":         {who: readsProject, status: 200},
		"get-ai-masking-history": {who: readsProject, status: 200},
		"get-incident-analysis":  {who: readsProject, status: 200},
		"set-incident-analysis": {who: adminsProject, status: 200, make: func(p *place) request {
			return request{body: AnalysisChange{Investigate: incident.InvestigateAlways}, etag: p.analysisVersion()}
		}},
		"set-ai-masking": {who: adminsProject, status: 200, make: func(p *place) request {
			return request{body: MaskingRequest{Policy: mask.Policy{Allow: []string{p.canary + ".example"}}}, etag: p.maskingVersion()}
		}},
		"test-ai-masking": {who: readsProject, status: 200, make: func(p *place) request {
			return request{query: fmt.Sprintf("project=%d", p.id()), body: MaskingTest{Text: "hello"}}
		}},
		"list-mask-classes": {who: signedIn, status: 200},

		"get-ai-quality": {who: readsProject, status: 200},
		"get-ai-feedback": {who: readsProject, status: 200, make: func(p *place) request { return ids("call", p.call) },
			crossed: func(b *place) request { return ids("call", b.call) }},
		"set-ai-feedback": {who: readsProject, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"call": p.call}, body: FeedbackRequest{Up: true}}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"call": b.call}, body: FeedbackRequest{Up: true}}
			}},
		"delete-ai-feedback": {who: readsProject, status: 204, make: func(p *place) request { return ids("call", p.saidByAll()) },
			crossed: func(b *place) request { return ids("call", b.call) }},
		"list-ai-judging": {who: system, status: 200},
		"set-ai-judging": {who: system, status: 200, make: func(*place) request {
			return request{path: map[string]any{"role": h.newRole(), "version": 0}, body: JudgingRequest{Share: 10, Daily: 5}}
		}},
		// Who edits roles and is no member asks nothing in a project; who is a
		// member and edits none does not experiment.
		"list-ai-experiments":    {who: playsProject, status: 200},
		"estimate-ai-experiment": {who: playsProject, status: 200, make: func(p *place) request { return request{body: p.spec()} }},
		"start-ai-experiment":    {who: playsProject, status: 201, make: func(p *place) request { return request{body: p.spec()} }},
		"get-ai-experiment":      experiment(200, (*place).keptExperiment),
		"cancel-ai-experiment":   experiment(204, (*place).newExperiment),
		"resume-ai-experiment":   experiment(204, (*place).endedExperiment),
		"delete-ai-experiment":   experiment(204, (*place).newExperiment),
		"promote-ai-variant": {who: playsProject, status: 201, make: func(p *place) request {
			return request{path: map[string]any{"experiment": p.newExperiment()}, body: PromoteRequest{}}
		}, crossed: func(b *place) request {
			return request{path: map[string]any{"experiment": b.experiment}, body: PromoteRequest{}}
		}},
		"replay-ai-call": {who: playsProject, status: 200, make: func(p *place) request {
			return request{path: map[string]any{"call": p.call}, body: ReplayRequest{}}
		}, crossed: func(b *place) request {
			return request{path: map[string]any{"call": b.call}, body: ReplayRequest{}}
		}},

		// Issues.
		"list-issues":         {who: readsProject, status: 200},
		"list-issue-people":   {who: readsProject, status: 200},
		"list-issue-facets":   {who: readsProject, status: 200},
		"get-in-app-rules":    {who: readsProject, status: 200},
		"update-in-app-rules": {who: writesProject, status: 200, make: func(p *place) request { return request{body: InAppRequest{}, etag: p.inAppVersion()} }},
		"get-issue": {who: readsProject, status: 200, make: func(p *place) request { return ids("issue", p.issue) },
			crossed: func(b *place) request { return ids("issue", b.issue) }},
		"get-issue-stats": {who: readsProject, status: 200, make: func(p *place) request { return ids("issue", p.issue) },
			crossed: func(b *place) request { return ids("issue", b.issue) }},
		"list-issue-occurrences": {who: readsProject, status: 200, make: func(p *place) request { return ids("issue", p.issue) },
			crossed: func(b *place) request { return ids("issue", b.issue) }},
		"get-issue-occurrence": {who: readsProject, status: 200,
			make:    func(p *place) request { return request{path: map[string]any{"issue": p.issue, "occurrence": "newest"}} },
			crossed: func(b *place) request { return request{path: map[string]any{"issue": b.issue, "occurrence": "newest"}} }},
		"update-issue": {who: writesProject, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"issue": p.newIssue()}, body: IssueRequest{State: "resolved"}, etag: `"v1"`}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"issue": b.issue}, body: IssueRequest{State: "resolved"}, etag: `"v1"`}
			}},
		"comment-issue": {who: writesProject, status: 204,
			make: func(p *place) request {
				return request{path: map[string]any{"issue": p.newIssue()}, body: CommentRequest{"of " + p.canary}}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"issue": b.issue}, body: CommentRequest{"from outside"}}
			}},
		"merge-issues": {who: writesProject, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"issue": p.newIssue()}, body: MergeRequest{[]int64{p.newIssue()}}}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"issue": b.issue}, body: MergeRequest{[]int64{b.issue}}}
			}},
		"split-issue": {who: writesProject, status: 201,
			make: func(p *place) request {
				id := p.newIssue()
				return request{path: map[string]any{"issue": id}, body: SplitRequest{[]string{fmt.Sprintf("%08x%08x", id, 0)}}}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"issue": b.issue}, body: SplitRequest{[]string{fmt.Sprintf("%08x%08x", b.issue, 0)}}}
			}},

		// Incidents.
		"get-home":       {who: readsProject, status: 200},
		"list-incidents": {who: readsProject, status: 200},
		"get-incident": {who: readsProject, status: 200, make: func(p *place) request { return ids("incident", p.incident) },
			crossed: func(b *place) request { return ids("incident", b.incident) }},
		"acknowledge-incident": {who: writesProject, status: 204, make: func(p *place) request { return ids("incident", p.newIncident()) },
			crossed: func(b *place) request { return ids("incident", b.incident) }},
		"resolve-incident": {who: writesProject, status: 204, make: func(p *place) request { return ids("incident", p.newIncident()) },
			crossed: func(b *place) request { return ids("incident", b.incident) }},
		"export-incidents": {who: readsProject, status: 200},
		"get-incident-impact": {who: readsProject, status: 200, make: func(p *place) request { return ids("incident", p.incident) },
			crossed: func(b *place) request { return ids("incident", b.incident) }},
		"change-incident": {who: writesProject, status: 204, make: func(p *place) request { return acknowledges(p.newIncident()) },
			crossed: func(b *place) request { return acknowledges(b.incident) }},
		"change-incidents": {who: writesProject, status: 200, make: func(p *place) request {
			return request{body: IncidentsChange{[]int64{p.newIncident()}, IncidentChange{State: incident.Resolved}}}
		}},
		"merge-incidents": {who: writesProject, status: 204, make: func(p *place) request {
			return request{path: map[string]any{"incident": p.newIncident()}, body: IncidentMerge{[]int64{p.newIncident()}}}
		}, crossed: func(b *place) request {
			return request{path: map[string]any{"incident": b.incident}, body: IncidentMerge{[]int64{b.incident + 1}}}
		}},
		"split-incident": {who: writesProject, status: 204, make: func(p *place) request {
			whole, part := p.newIncident(), p.newIncident()
			h.must(h.opts.Incidents.Merge(h.t.Context(), p.id(), whole, []int64{part}, incident.Person{}))
			return ids("incident", part)
		}, crossed: func(b *place) request { return ids("incident", b.incident) }},
		"comment-incident": {who: writesProject, status: 204, make: func(p *place) request {
			return request{path: map[string]any{"incident": p.newIncident()}, body: CommentRequest{"of " + p.canary}}
		}, crossed: func(b *place) request {
			return request{path: map[string]any{"incident": b.incident}, body: CommentRequest{"x"}}
		}},
		"edit-incident-comment": {who: writesProject, status: 404, make: func(p *place) request { // of those who may, none said this
			return request{path: map[string]any{"incident": p.newIncident(), "comment": 1 << 40}, body: CommentRequest{"x"}}
		}, crossed: func(b *place) request {
			return request{path: map[string]any{"incident": b.incident, "comment": b.newIncidentComment()}, body: CommentRequest{"x"}}
		}},
		"delete-incident-comment": {who: writesProject, status: 404, make: func(p *place) request {
			return request{path: map[string]any{"incident": p.newIncident(), "comment": 1 << 40}}
		}, crossed: func(b *place) request {
			return request{path: map[string]any{"incident": b.incident, "comment": b.newIncidentComment()}}
		}},
		"show-incident-link":   {who: anybody, status: 404, make: func(*place) request { return ids("token", "none.none") }}, // the signature says who may
		"follow-incident-link": {who: anybody, status: 404, make: func(*place) request { return ids("token", "none.none") }},
		"press-slack-button": {who: anybody, status: 401, make: func(*place) request { // the signature says who may
			r := ids("channel", int64(1))
			r.body = map[string]string{}
			return r
		}},
		"list-silences": {who: readsProject, status: 200},
		"create-silence": {who: writesProject, status: 201, make: func(p *place) request {
			return request{body: SilenceRequest{Matchers: incident.Matchers{Service: p.canary}, Reason: "r", EndsAt: time.Now().Add(time.Hour)}}
		}},
		"end-silence": {who: writesProject, status: 204, make: func(p *place) request { return ids("silence", p.newSilence()) },
			crossed: func(b *place) request { return ids("silence", b.newSilence()) }},
		"list-maintenance-windows": {who: readsProject, status: 200},
		"create-maintenance-window": {who: writesProject, status: 201, make: func(p *place) request {
			return request{body: MaintenanceRequest{Name: p.canary, Matchers: incident.Matchers{Service: "nowhere"}, Timing: everyNight}}
		}},
		"delete-maintenance-window": {who: writesProject, status: 204, make: func(p *place) request { return ids("window", p.newMaintenance()) },
			crossed: func(b *place) request { return ids("window", b.newMaintenance()) }},
		"analyze-incident": {who: writesProject, status: 202, make: func(p *place) request { return ids("incident", p.newIncident()) },
			crossed: func(b *place) request { return ids("incident", b.incident) }},

		// AI roles.
		"run-role": {who: readsProject, status: 200, make: func(p *place) request {
			return request{path: map[string]any{"role": h.newRole()}, query: fmt.Sprintf("project=%d", p.id()), body: RunRequest{Input: "hello"}}
		}},
		"try-role": {who: triesNowhere, make: func(p *place) request {
			return request{path: map[string]any{"role": h.newRole()}, query: fmt.Sprintf("project=%d", p.id()), body: TryRequest{Role: roleBody(), Input: "hello"}}
		}},
		"get-conversation": {who: readsProject, status: 404, make: func(p *place) request {
			return request{path: map[string]any{"conversation": "none"}, query: fmt.Sprintf("project=%d", p.id())}
		}}, // one's own, and here nobody has one
		"delete-conversation": {who: readsProject, status: 404, make: func(p *place) request {
			return request{path: map[string]any{"conversation": "none"}, query: fmt.Sprintf("project=%d", p.id())}
		}},
		"list-roles": {who: system, status: 200},
		"create-role": {who: system, status: 201, make: func(*place) request {
			return request{body: NewRoleRequest{h.unique("role"), roleBody()}}
		}},
		"get-role": {who: system, status: 200, make: func(*place) request { return ids("role", ai.AlertAnalyzer) }},
		"update-role": {who: system, status: 200, make: func(*place) request {
			return request{path: map[string]any{"role": h.newRole()}, body: RoleChange{RoleRequest: roleBody()}, etag: `"v1"`}
		}},
		"delete-role": {who: system, status: 204, make: func(*place) request {
			return request{path: map[string]any{"role": h.newRole()}, etag: `"v1"`}
		}},
		"get-role-history": {who: system, status: 200, make: func(*place) request { return ids("role", ai.AlertAnalyzer) }},
		"list-role-labels": {who: system, status: 200, make: func(*place) request { return ids("role", ai.AlertAnalyzer) }},
		"list-role-moves":  {who: system, status: 200, make: func(*place) request { return ids("role", ai.AlertAnalyzer) }},
		"set-role-label": {who: system, status: 200, make: func(*place) request {
			return request{path: map[string]any{"role": h.newRole(), "label": "candidate"}, body: LabelRequest{Version: 1}}
		}},
		"delete-role-label": {who: system, status: 204, make: func(*place) request {
			return request{path: map[string]any{"role": h.newLabel(), "label": "candidate"}}
		}},
		"list-org-chain-providers": {who: editsOrg, status: 200},
		"list-org-roles":           {who: editsOrg, status: 200},
		"create-org-role": {who: editsOrg, status: 201, make: func(*place) request {
			return request{body: NewRoleRequest{h.unique("role"), roleBody()}}
		}},
		"copy-org-role":        {who: editsOrg, status: 201, make: func(*place) request { return ids("role", h.newRole()) }, crossed: ofB},
		"get-org-role":         {who: editsOrg, status: 200, make: ownRole, crossed: ofB},
		"get-org-role-history": {who: editsOrg, status: 200, make: ownRole},
		"list-org-role-labels": {who: editsOrg, status: 200, make: ownRole},
		"list-org-role-moves":  {who: editsOrg, status: 200, make: ownRole},
		"update-org-role": {who: editsOrg, status: 200, make: func(p *place) request { return edit(p.newOrgRole()) },
			crossed: func(b *place) request { return edit(b.role) }},
		"delete-org-role": {who: adminsOrg, status: 204, make: func(p *place) request {
			return request{path: map[string]any{"role": p.newOrgRole()}, etag: `"v1"`}
		}, crossed: func(b *place) request { return request{path: map[string]any{"role": b.role}, etag: `"v1"`} }},
		"set-org-role-label": {who: editsOrg, status: 200, make: func(p *place) request { return label(p.newOrgRole()) },
			crossed: func(b *place) request { return label(b.role) }},
		"delete-org-role-label": {who: editsOrg, status: 204, make: func(p *place) request {
			return request{path: map[string]any{"role": p.newOrgLabel(), "label": "candidate"}}
		}, crossed: func(b *place) request {
			return request{path: map[string]any{"role": b.newOrgLabel(), "label": "candidate"}}
		}},
		// Also takes one who may ask for the project: no system admin does, and a
		// member of one of its groups edits no roles.
		"try-org-role": {who: "ahdooododd", status: 200, make: func(p *place) request {
			return request{path: map[string]any{"role": p.newOrgRole()}, query: fmt.Sprintf("project=%d", p.id()), body: TryRequest{Role: roleBody(), Input: "hello"}}
		}},
		"list-capabilities": {who: system, status: 200},
		"set-capability": {who: system, status: 200, make: func(*place) request {
			return request{path: map[string]any{"provider": "canned", "model": "m*"}, body: CapabilityRequest{Rejects: []string{"seed"}}}
		}},
		"delete-capability": {who: system, status: 204, make: func(*place) request {
			return request{path: map[string]any{"provider": "canned", "model": h.newCapability()}}
		}},
		"list-budgets":  {who: system, status: 200},
		"create-budget": {who: system, status: 201, make: func(*place) request { return request{body: budgetBody()} }},
		"update-budget": {who: system, status: 200, make: func(*place) request {
			return request{path: map[string]any{"budget": h.newBudget(ai.Shared)}, body: budgetBody(), etag: `"v1"`}
		}},
		"delete-budget":        {who: system, status: 204, make: func(*place) request { return ids("budget", h.newBudget(ai.Shared)) }},
		"get-budget":           {who: system, status: 200, make: func(*place) request { return ids("budget", h.newBudget(ai.Shared)) }},
		"get-budget-use":       {who: system, status: 200, make: func(*place) request { return ids("budget", h.newBudget(ai.Shared)) }},
		"get-budget-periods":   {who: system, status: 200, make: func(*place) request { return ids("budget", h.newBudget(ai.Shared)) }},
		"list-near-limits":     {who: system, status: 200},
		"list-budget-subjects": {who: system, status: 200, make: asks("scope=person")},
		"list-org-budgets":     {who: adminsOrg, status: 200},
		"create-org-budget":    {who: adminsOrg, status: 201, make: func(*place) request { return request{body: budgetBody()} }},
		"update-org-budget": {who: adminsOrg, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"budget": h.newBudget(ai.Owner(p.org))}, body: budgetBody(), etag: `"v1"`}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"budget": h.newBudget(ai.Owner(b.org))}, body: budgetBody(), etag: `"v1"`}
			}},
		"delete-org-budget":        {who: adminsOrg, status: 204, make: ofOrgBudget, crossed: ofOrgBudget},
		"get-org-budget":           {who: adminsOrg, status: 200, make: ofOrgBudget, crossed: ofOrgBudget},
		"get-org-budget-use":       {who: adminsOrg, status: 200, make: ofOrgBudget, crossed: ofOrgBudget},
		"get-org-budget-periods":   {who: adminsOrg, status: 200, make: ofOrgBudget, crossed: ofOrgBudget},
		"list-org-near-limits":     {who: adminsOrg, status: 200},
		"list-org-budget-subjects": {who: adminsOrg, status: 200, make: asks("scope=project")},
		"get-ai-shipping":          {who: system, status: 200},
		"list-circuits":            {who: system, status: 200},
		"open-circuit": {who: system, status: 204, make: func(*place) request {
			return request{body: CircuitRequest{Provider: "canned", Model: h.unique("model"), Key: "main", Reason: "test"}}
		}},
		"close-circuit": {who: system, status: 204, make: func(*place) request {
			return request{body: CircuitRequest{Provider: "canned", Model: "m", Key: "main"}}
		}},
		"list-providers":       {who: system, status: 200},
		"list-provider-kinds":  {who: system, status: 200},
		"list-provider-health": {who: system, status: 200},
		"create-provider": {who: system, status: 201, make: func(*place) request {
			return request{body: NewProviderRequest{h.unique("provider"), ProviderRequest{Kind: "canned", Enabled: true}}}
		}},
		"get-provider": {who: system, status: 200, make: func(*place) request { return ids("provider", h.newProvider()) }},
		"update-provider": {who: system, status: 200, make: func(*place) request {
			return request{path: map[string]any{"provider": h.newProvider()}, body: ProviderRequest{Kind: "canned"}, etag: `"v2"`}
		}},
		"delete-provider": {who: system, status: 204, make: func(*place) request {
			return request{path: map[string]any{"provider": h.newProvider()}, etag: `"v2"`}
		}},
		"create-provider-key": {who: system, status: 201, make: func(*place) request {
			return request{path: map[string]any{"provider": h.newProvider()}, body: NewProviderKeyRequest{"second", "sk-isolated"}}
		}},
		"update-provider-key": {who: system, status: 200, make: func(*place) request {
			return request{path: map[string]any{"provider": h.newProvider(), "key": "first"}, body: ProviderKeyRequest{}}
		}},
		"delete-provider-key": {who: system, status: 204, make: func(*place) request {
			return request{path: map[string]any{"provider": h.newProvider(), "key": "first"}}
		}},
		"check-provider-key": {who: system, status: 200, make: func(*place) request {
			return request{path: map[string]any{"provider": "canned", "key": "main"}, body: ProviderCheckRequest{Model: "m"}}
		}},
		"list-shared-providers":    {who: adminsOrg, status: 200},
		"list-org-providers":       {who: adminsOrg, status: 200},
		"list-org-provider-kinds":  {who: adminsOrg, status: 200},
		"list-org-provider-health": {who: adminsOrg, status: 200},
		"create-org-provider": {who: adminsOrg, status: 201, make: func(p *place) request {
			return request{body: NewProviderRequest{h.unique("provider"), ProviderRequest{Kind: "canned", Enabled: true}}}
		}},
		"get-org-provider": {who: adminsOrg, status: 200, make: func(p *place) request { return ids("provider", p.newProvider()) },
			crossed: func(b *place) request { return ids("provider", b.newProvider()) }},
		"update-org-provider": {who: adminsOrg, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"provider": p.newProvider()}, body: ProviderRequest{Kind: "canned"}, etag: `"v2"`}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"provider": b.newProvider()}, body: ProviderRequest{Kind: "canned"}, etag: `"v2"`}
			}},
		"delete-org-provider": {who: adminsOrg, status: 204,
			make: func(p *place) request {
				return request{path: map[string]any{"provider": p.newProvider()}, etag: `"v2"`}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"provider": b.newProvider()}, etag: `"v2"`}
			}},
		"create-org-provider-key": {who: adminsOrg, status: 201,
			make: func(p *place) request {
				return request{path: map[string]any{"provider": p.newProvider()}, body: NewProviderKeyRequest{"second", "sk-isolated"}}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"provider": b.newProvider()}, body: NewProviderKeyRequest{"second", "sk-isolated"}}
			}},
		"update-org-provider-key": {who: adminsOrg, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"provider": p.newProvider(), "key": "first"}, body: ProviderKeyRequest{}}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"provider": b.newProvider(), "key": "first"}, body: ProviderKeyRequest{}}
			}},
		"delete-org-provider-key": {who: adminsOrg, status: 204,
			make: func(p *place) request {
				return request{path: map[string]any{"provider": p.newProvider(), "key": "first"}}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"provider": b.newProvider(), "key": "first"}}
			}},
		"check-org-provider-key": {who: adminsOrg, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"provider": p.newProvider(), "key": "first"}, body: ProviderCheckRequest{Model: "m"}}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"provider": b.newProvider(), "key": "first"}, body: ProviderCheckRequest{Model: "m"}}
			}},
		"list-org-circuits": {who: adminsOrg, status: 200},
		"open-org-circuit": {who: adminsOrg, status: 204,
			make: func(p *place) request {
				return request{body: CircuitRequest{Provider: p.newProvider(), Model: "m", Key: "first", Reason: "test"}}
			},
			crossed: func(b *place) request {
				return request{body: CircuitRequest{Provider: b.newProvider(), Model: "m", Key: "first", Reason: "test"}}
			}},
		// It closes what the organisation has of that name, which may be nothing.
		"close-org-circuit": {who: adminsOrg, status: 204, make: func(p *place) request {
			return request{body: CircuitRequest{Provider: p.newProvider(), Model: "m", Key: "first"}}
		}},
		"list-org-prices": {who: adminsOrg, status: 200},
		"set-org-price": {who: adminsOrg, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"provider": p.newProvider(), "model": "m"}, body: PriceRequest{Input: 1, Output: 2}}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"provider": b.newProvider(), "model": "m"}, body: PriceRequest{Input: 1, Output: 2}}
			}},
		"list-org-price-history": {who: adminsOrg, status: 200, make: func(p *place) request {
			return request{path: map[string]any{"provider": p.newOwnPrice().Provider, "model": "m"}}
		}},
		"withdraw-org-price": {who: adminsOrg, status: 204, make: func(p *place) request { return ids("version", p.newOwnPrice().Version) },
			crossed: func(b *place) request { return ids("version", b.newOwnPrice().Version) }},
		"delete-org-price": {who: adminsOrg, status: 204,
			make: func(p *place) request {
				return request{path: map[string]any{"provider": p.newOwnPrice().Provider, "model": "m"}}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"provider": b.newOwnPrice().Provider, "model": "m"}}
			}},
		"list-org-unpriced-models": {who: adminsOrg, status: 200},
		"list-prices":              {who: system, status: 200},
		"set-price": {who: system, status: 200, make: func(*place) request {
			return request{path: map[string]any{"provider": "canned", "model": "m"}, body: PriceRequest{Input: 1, Output: 2}}
		}},
		"list-price-history": {who: system, status: 200, make: func(*place) request {
			return request{path: map[string]any{"provider": "canned", "model": h.newPrice()}}
		}},
		"withdraw-price":       {who: system, status: 404, make: func(*place) request { return ids("version", int64(999999)) }},
		"list-unpriced-models": {who: system, status: 200},
		"list-recounts":        {who: system, status: 200},
		"start-recount":        {who: system, status: 503, make: func(*place) request { return request{body: RecountRequest{From: time.Now().Add(-time.Hour)}} }}, // this node works no jobs
		"cancel-recount":       {who: system, status: 404, make: func(*place) request { return ids("recount", int64(999999)) }},

		// What was used of models.
		"get-ai-usage":            {who: system, status: 200},
		"export-ai-usage":         {who: system, status: 200},
		"get-ai-bill":             {who: system, status: 200},
		"get-org-ai-usage":        {who: adminsOrg, status: 200},
		"export-org-ai-usage":     {who: adminsOrg, status: 200},
		"get-org-ai-bill":         {who: adminsOrg, status: 200},
		"get-project-ai-usage":    {who: readsProject, status: 200},
		"export-project-ai-usage": {who: readsProject, status: 200},
		"get-project-ai-bill":     {who: readsProject, status: 200},
		"get-my-ai-usage":         {who: signedIn, status: 200},
		"export-my-ai-usage":      {who: signedIn, status: 200},
		"get-my-ai-bill":          {who: signedIn, status: 200},
		"delete-price": {who: system, status: 204, make: func(*place) request {
			return request{path: map[string]any{"provider": "canned", "model": h.newPrice()}}
		}},

		// Rules and channels.
		"list-alarm-kinds":    {who: readsProject, status: 200},
		"list-rules":          {who: readsProject, status: 200},
		"create-rule":         {who: writesProject, status: 201, make: func(p *place) request { return request{body: p.ruleBody()} }},
		"get-rule-evaluation": {who: readsProject, status: 200},
		"try-rule":            {who: readsProject, status: 200, make: func(p *place) request { return request{body: p.ruleBody()} }},
		"get-rule": {who: readsProject, status: 200, make: func(p *place) request { return ids("rule", p.rule) },
			crossed: func(b *place) request { return ids("rule", b.rule) }},
		"update-rule": {who: writesProject, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"rule": p.newRule()}, body: p.ruleBody(), etag: `"v1"`}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"rule": b.rule}, body: b.ruleBody(), etag: `"v1"`}
			}},
		"delete-rule": {who: writesProject, status: 204,
			make:    func(p *place) request { return request{path: map[string]any{"rule": p.newRule()}, etag: `"v1"`} },
			crossed: func(b *place) request { return request{path: map[string]any{"rule": b.rule}, etag: `"v1"`} }},
		"get-rule-history": {who: readsProject, status: 200, make: func(p *place) request { return ids("rule", p.rule) },
			crossed: func(b *place) request { return ids("rule", b.rule) }},
		"list-rule-templates": {who: readsProject, status: 200},
		"apply-rule-template": {who: writesProject, status: 200, make: func(*place) request {
			return request{path: map[string]any{"template": "database"}, body: TemplateRequest{Language: "en"}}
		}},
		"import-prometheus-rules": {who: writesProject, status: 200, make: func(*place) request {
			return request{body: RuleFileRequest{Text: "groups: [{name: x, rules: [{alert: A, expr: up == 0}]}]", DryRun: true}}
		}},
		"list-channel-kinds": {who: signedIn, status: 200},
		"list-channels":      {who: readsProject, status: 200},
		"create-channel":     {who: writesProject, status: 201, make: func(p *place) request { return request{body: p.channelBody()} }},
		"get-channel": {who: readsProject, status: 200, make: func(p *place) request { return ids("channel", p.channel) },
			crossed: func(b *place) request { return ids("channel", b.channel) }},
		"update-channel": {who: writesProject, status: 200,
			make: func(p *place) request {
				return request{path: map[string]any{"channel": p.newChannel()}, body: p.channelBody(), etag: `"v1"`}
			},
			crossed: func(b *place) request {
				return request{path: map[string]any{"channel": b.channel}, body: b.channelBody(), etag: `"v1"`}
			}},
		"delete-channel": {who: writesProject, status: 204, make: func(p *place) request { return ids("channel", p.newChannel()) },
			crossed: func(b *place) request { return ids("channel", b.channel) }},
		"get-channel-routing": {who: readsProject, status: 200},
		"update-channel-routing": {who: writesProject, status: 200, make: func(p *place) request {
			return request{body: p.routingBody(), etag: p.routingVersion()}
		}},
		"list-channel-deliveries": {who: readsProject, status: 200},
		"get-my-notifications":    {who: signedIn, status: 200},
		"update-my-notifications": {who: bySession, status: 200, make: func(*place) request {
			return request{body: NotificationsRequest{Ways: []notify.Way{}, Rules: []notify.PersonalRule{}}, etag: `"v0"`} // each account asks once
		}},
		"test-my-notifications": {who: bySession, status: 404, make: func(*place) request { return request{body: WayTest{Kind: "slack"}} }}, // no way was saved
		"list-my-notifications": {who: signedIn, status: 200},
		"preview-channel":       {who: writesProject, status: 501, make: func(p *place) request { return request{body: p.previewBody()} }}, // this kind has no template
		"test-channel": {who: writesProject, status: 204, make: func(p *place) request { return ids("channel", p.channel) },
			crossed: func(b *place) request { return ids("channel", b.channel) }},
	}
}

func oidcBody() OIDCProviderRequest {
	return OIDCProviderRequest{Settings: oidc.Settings{Name: "Corp", Issuer: "https://127.0.0.1:1", ClientID: "matrix", Scopes: []string{}, Domains: []string{}, Mappings: []oidc.Mapping{}}}
}

// newDirectoryToken makes a token of the organisation's and returns its id.
func (p *place) newDirectoryToken() int64 {
	p.h.t.Helper()
	t, err := p.h.tenants.CreateDirectoryToken(p.h.t.Context(), p.owner, p.org, p.h.unique("kept-"+p.canary), tenant.Viewer)
	p.h.must(err)
	return t.ID
}

// newOIDC makes a provider and returns its code.
func (h *house) newOIDC() string {
	h.t.Helper()
	p, err := h.opts.OIDC.Create(h.t.Context(), h.unique("idp"), oidcBody().settings(), "admin")
	h.must(err)
	return p.Code
}

func roleBody() RoleRequest {
	return RoleRequest{SystemMessage: "Say hello.", Chain: []ai.Entry{{Provider: "canned", Model: "m"}}}
}

// TestNobodyReachesAnotherProjectsRows walks every registered operation with
// every kind of caller, on two organisations with rows of their own, and fails
// when an operation is not listed in the table above.
func TestNobodyReachesAnotherProjectsRows(t *testing.T) {
	h := newNeighbours(t, metadbtest.SQLite(t))
	rows := table(h.house)
	for id := range rows {
		if h.operation(id) == nil {
			t.Errorf("the table lists %q, which is not registered", id)
		}
	}
	for _, id := range h.unlisted(rows) {
		t.Errorf("%s is registered but not in the table of this test: say who may call it", id)
	}
	before := h.b.rows()
	for op := range h.operations() {
		want, listed := rows[op.OperationID]
		if !listed {
			continue
		}
		t.Run(op.OperationID, func(t *testing.T) {
			defer func(whole testing.TB) { h.t = whole }(h.t)
			h.t = t
			for i, caller := range callers {
				h.expect(op, want, h.a, h.caller(caller, op), caller, want.who[i], want.make)
			}
			// The mirror image: what A's people get of B, whatever they are in A.
			if strings.ContainsAny(op.Path, "{") && want.who[1] == 'h' {
				for _, caller := range []string{"viewer", "admin", "owner", "admin of the group", "token with scope"} {
					letter := byte('h')
					if caller == "token with scope" && want.who[7] == 'd' && want.who != triesNowhere && want.who != makesTokens { // its scopes let it ask
						letter = 'd'
					}
					h.expect(op, want, h.b, h.caller(caller, op), caller+" in B", letter, want.make)
				}
			}
			if want.crossed != nil {
				h.expect(op, want, h.a, h.caller("owner", op), "owner with an id of B", 'h', func(*place) request { return want.crossed(h.b) })
			}
		})
	}
	after := h.b.rows()
	for _, row := range before {
		if !slices.Contains(after, row) {
			t.Errorf("the row %q of B was changed from outside; now there are %v", row, after)
		}
	}
}

func TestTheTableNoticesAnOperationThatIsNotInIt(t *testing.T) {
	h := &neighbours{house: newHouse(t, metadbtest.SQLite(t), nil, nil)}
	rows := table(h.house)
	if missing := h.unlisted(rows); len(missing) != 0 {
		t.Fatalf("missing already: %v", missing)
	}
	register(h.server, tenant.ProjectRead, get("sneak", "/api/v1/projects/{project}/sneak", "Not in the table"),
		func(context.Context, tenant.Actor, *InProject) (*struct{}, error) { return nil, nil })
	if missing := h.unlisted(rows); !slices.Equal(missing, []string{"sneak"}) {
		t.Errorf("noticed %v", missing)
	}
}

func TestAnActionNeedsItsTargetInThePath(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	defer func() {
		if recover() == nil {
			t.Error("an operation on a project without a project was registered")
		}
	}()
	register(h.server, tenant.ProjectRead, get("sneak", "/api/v1/everything", "Of every project"),
		func(context.Context, tenant.Actor, *nothing) (*struct{}, error) { return nil, nil })
}

// expect makes one call and checks its status, that nothing of the other place
// is in the answer, and that an answer has the shape the OpenAPI promises.
func (n *neighbours) expect(op *huma.Operation, want row, at *place, c *client, who string, letter byte, prepare func(*place) request) {
	n.t.Helper()
	status := map[byte]int{'o': want.status, 'd': http.StatusForbidden, 'h': http.StatusNotFound, 'a': http.StatusUnauthorized}[letter]
	answer := n.call(op, at, c, prepare)
	if answer.Code != status {
		n.t.Errorf("%s: %d, want %d: %s", who, answer.Code, status, answer.Body)
		return
	}
	if who != "owner of B" && who != "system admin" && strings.Contains(answer.Body.String(), n.b.canary) {
		n.t.Errorf("%s sees a row of B: %s", who, answer.Body)
	}
	if who == "owner of B" && strings.Contains(answer.Body.String(), n.a.canary) {
		n.t.Errorf("the owner of B sees a row of A: %s", answer.Body)
	}
	n.audited(op, answer)
	n.conforms(op, answer)
}

// audited checks that the audit log has one entry of each change that was asked
// for by somebody who is signed in and may know of its target, and none of a read.
func (n *neighbours) audited(op *huma.Operation, answer *httptest.ResponseRecorder) {
	n.t.Helper()
	var entries int
	var outcome string
	n.must(n.db.QueryRow(n.t.Context(), `SELECT count(*), COALESCE(MAX(outcome), '') FROM audit_entry WHERE kind = 'change' AND request_id = $1 AND operation = $2`,
		answer.Header().Get("X-Request-Id"), op.OperationID).Scan(&entries, &outcome))
	change := changes(op)
	switch refused := answer.Code == http.StatusUnauthorized || answer.Code == http.StatusNotFound; {
	case !change && entries != 0:
		n.t.Errorf("a read has %d entries in the audit log", entries)
	case change && entries == 0 && !refused && op.OperationID != "logout":
		n.t.Errorf("the audit log knows nothing of it: %d", answer.Code)
	case answer.Code < 300 && change && op.OperationID != "logout" && outcome != "done",
		answer.Code == http.StatusForbidden && change && outcome != "denied":
		n.t.Errorf("%d is %q in the audit log", answer.Code, outcome)
	}
}

func (n *neighbours) call(op *huma.Operation, at *place, c *client, prepare func(*place) request) *httptest.ResponseRecorder {
	n.t.Helper()
	var r request
	if prepare != nil {
		r = prepare(at)
	}
	path := op.Path
	for name, value := range map[string]any{"project": at.project, "group": at.group, "org": at.org} {
		path = strings.ReplaceAll(path, "{"+name+"}", fmt.Sprint(value))
	}
	for name, value := range r.path {
		path = strings.ReplaceAll(path, "{"+name+"}", fmt.Sprint(value))
	}
	if strings.Contains(path, "{") {
		n.t.Fatalf("%s: the table leaves a part of the path open", path)
	}
	if r.query != "" {
		path += "?" + r.query
	}
	var headers []string
	if r.etag != "" {
		headers = []string{"If-Match", r.etag}
	}
	if op.OperationID == "logout" { // the callers are needed again
		c = n.anonymous()
	}
	return c.do(op.Method, path, r.body, headers)
}

// caller returns the client for one of callers. What "a scope for something
// else" is depends on the operation.
func (n *neighbours) caller(name string, op *huma.Operation) *client {
	if name != "token without scope" {
		return n.clients[name]
	}
	if noun, _, _ := strings.Cut(string(op.Metadata["action"].(tenant.Action)), "."); noun == "project" {
		return n.clients["token for organisations"]
	}
	return n.clients["token for projects"]
}

// unlisted returns the operations that rows does not list.
func (n *neighbours) unlisted(rows map[string]row) (ids []string) {
	for op := range n.operations() {
		if _, ok := rows[op.OperationID]; !ok {
			ids = append(ids, op.OperationID)
		}
	}
	return ids
}

func (n *neighbours) operation(id string) *huma.Operation {
	for op := range n.operations() {
		if op.OperationID == id {
			return op
		}
	}
	return nil
}

// operations walks what is registered, in the order of paths and methods.
func (n *neighbours) operations() func(yield func(*huma.Operation) bool) {
	return func(yield func(*huma.Operation) bool) {
		paths := n.server.api.OpenAPI().Paths
		names := make([]string, 0, len(paths))
		for path := range paths {
			names = append(names, path)
		}
		slices.Sort(names)
		for _, path := range names {
			item := paths[path]
			for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete, item.Head, item.Options, item.Trace} {
				if op != nil && !yield(op) {
					return
				}
			}
		}
	}
}

// beside lists the routes that are no operations: they belong to nobody's rows.
var beside = []string{"GET /api/openapi.yaml", "/api/", "/"}

// TestEveryRouteIsAnOperation closes the way around the table: a handler put
// into the mux beside register would not be walked.
func TestEveryRouteIsAnOperation(t *testing.T) {
	h := &neighbours{house: newHouse(t, metadbtest.SQLite(t), nil, func(o *Options) { o.UI = http.NotFoundHandler() })}
	if missing := h.unknown(); len(missing) > 0 {
		t.Errorf("not operations: %v", missing)
	}
	for op := range h.operations() {
		if _, ok := op.Metadata["action"].(tenant.Action); !ok {
			t.Errorf("%s %s did not come through register", op.Method, op.Path)
		}
	}
	h.mux.HandleFunc("GET /api/v1/sneak", func(http.ResponseWriter, *http.Request) {})
	if missing := h.unknown(); !slices.Equal(missing, []string{"GET /api/v1/sneak"}) {
		t.Errorf("noticed %v", missing)
	}
}

// unknown returns the routes that are neither operations nor listed beside them.
func (n *neighbours) unknown() []string {
	known := slices.Clone(beside)
	for op := range n.operations() {
		known = append(known, op.Method+" "+op.Path)
	}
	return slices.DeleteFunc(slices.Clone(n.mux.patterns), func(pattern string) bool { return slices.Contains(known, pattern) })
}

// neighbours is a house with two organisations that must not see one another.
type neighbours struct {
	*house
	a, b    *place
	clients map[string]*client
	shapes  *shapes
}

// place is one organisation with one project and rows of every kind, each of
// which carries the canary.
type place struct {
	h          *house
	canary     string
	org, group int64
	project    uint32
	owner      tenant.Actor
	login      *client
	trace      string
	log        string
	rule       int64
	dashboard  int64
	view       int64
	channel    int64
	incident   int64
	call       string
	experiment int64
	role       string // of the organisation
	issue      int64
}

func newNeighbours(t *testing.T, db *metadb.DB) *neighbours {
	t.Helper()
	return newNeighboursAt(t, db, nil)
}

// newNeighboursAt has the API live by another clock.
func newNeighboursAt(t *testing.T, db *metadb.DB, now func() time.Time) *neighbours {
	t.Helper()
	engine := clickhousetest.New(t)
	n := &neighbours{house: newHouse(t, db, engine, func(o *Options) { o.Now = now }), clients: map[string]*client{}}
	n.shapes = newShapes(n.house)
	n.migrateEngine()
	n.a = n.newPlace("alpha-canary", 1)
	n.b = n.newPlace("bravo-canary", 2)
	ctx := t.Context()
	somebody, err := n.tenants.CreateUser(ctx, "somebody@example.com", "")
	n.must(err)
	token, err := n.tenants.CreateToken(ctx, tenant.Actor{UserID: somebody.ID}, "theirs", []tenant.Scope{tenant.ScopeProjectRead}, n.soon())
	n.must(err)
	n.foreign = token.ID
	n.clients["anonymous"] = n.anonymous()
	n.clients["owner of B"] = n.b.login
	n.clients["owner"] = n.a.login
	for _, role := range []tenant.Role{tenant.Viewer, tenant.Editor, tenant.Admin} {
		user, err := n.tenants.CreateUser(ctx, string(role)+"@example.com", "")
		n.must(err)
		n.must(n.tenants.SetMember(ctx, n.a.owner, n.a.org, 0, user.Email, role))
		n.clients[string(role)] = n.login(user.Email, user.Password)
	}
	user, err := n.tenants.CreateUser(ctx, "group-admin@example.com", "")
	n.must(err)
	n.must(n.tenants.SetMember(ctx, n.a.owner, n.a.org, n.a.group, user.Email, tenant.Admin))
	n.clients["admin of the group"] = n.login(user.Email, user.Password)
	n.clients["system admin"] = n.admin()
	n.clients["token with scope"] = n.a.login.withToken(tenant.ScopeProjectAdmin, tenant.ScopeAIAsk, tenant.ScopeOrgAdmin, tenant.ScopeDataUnmasked)
	n.clients["token for projects"] = n.a.login.withToken(tenant.ScopeProjectRead)
	n.clients["token for organisations"] = n.a.login.withToken(tenant.ScopeOrgRead)
	return n
}
