package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// RoleRequest is what one edits of an AI role.
type RoleRequest struct {
	Name                string          `json:"name,omitempty" maxLength:"200" doc:"for people; absent shows the code"`
	Description         string          `json:"description,omitempty" maxLength:"1000"`
	SystemMessage       string          `json:"system_message" minLength:"1" doc:"with variables as {{name}}; {{language}} becomes Korean or English"`
	Chain               []ai.Entry      `json:"chain" maxItems:"5" doc:"asked in this order; empty = the installation's default"`
	Parameters          ai.Parameters   `json:"parameters"`
	ResponseFormat      json.RawMessage `json:"response_format,omitempty" doc:"{type: json_schema, name, schema}, or absent for free text"`
	RateLimitIntervalMs int64           `json:"rate_limit_interval_ms,omitempty" minimum:"0" doc:"between two calls of one caller; 0 = none"`
	Retries             *int            `json:"retries,omitempty" minimum:"0" maximum:"10" doc:"how often a call may ask a model again that failed for a moment, over its whole chain; absent = 2"`
	LogOptional         bool            `json:"log_optional,omitempty" doc:"answer also when the record of the call cannot be kept"`
	KeepTexts           string          `json:"keep_texts,omitempty" enum:"masked,none,originals" doc:"what the log keeps of the texts of its calls; absent: what the installation says"`
	Masking             *mask.Policy    `json:"masking,omitempty" doc:"what its calls mask beside the defaults; absent keeps what the role has, {} takes it away"`
	Notes               string          `json:"notes,omitempty" maxLength:"1000" doc:"why this version is made"`
}

func (r RoleRequest) role(code string, version int) ai.Role {
	return ai.Role{
		Code: code, Version: version, Name: r.Name, Description: r.Description, SystemMessage: r.SystemMessage, Chain: r.Chain,
		Parameters: r.Parameters, ResponseFormat: r.ResponseFormat, RateLimitIntervalMs: r.RateLimitIntervalMs,
		Retries: r.Retries, LogOptional: r.LogOptional, KeepTexts: r.KeepTexts, Masking: r.Masking, Notes: r.Notes,
	}
}

// NewRoleRequest is a RoleRequest with the code that callers will use.
type NewRoleRequest struct {
	Code string `json:"code" pattern:"^[a-z][a-z0-9-]{1,62}$"`
	RoleRequest
}

// InRole names an AI role in the path.
type InRole struct {
	Role string `path:"role" maxLength:"63" doc:"role code"`
}

// RoleChange is a new version of a role.
type RoleChange struct {
	RoleRequest
	Draft bool `json:"draft,omitempty" doc:"store the version without moving production to it"`
}

// LabelRequest is where a label of a role goes.
type LabelRequest struct {
	Version       int    `json:"version" minimum:"1"`
	CanaryVersion int    `json:"canary_version,omitempty" minimum:"0" doc:"answers a share of the calls instead; 0 = none"`
	CanaryShare   int    `json:"canary_share,omitempty" minimum:"0" maximum:"100" doc:"percent"`
	Protected     bool   `json:"protected,omitempty" doc:"only moved by who sends override"`
	Override      bool   `json:"override,omitempty" doc:"move it although it is protected"`
	Reason        string `json:"reason,omitempty" maxLength:"1000"`
}

// InLabel names a label of a role in the path.
type InLabel struct {
	InRole
	Label string `path:"label" maxLength:"32"`
}

// rolled is one role with its version.
func rolled(r *ai.Role, err error) (*edited[ai.Role], error) {
	if err != nil {
		return nil, err
	}
	return versioned(*r, int64(r.Version), nil)
}

// rolesAt says where the roles of an owner are, and who may do what with them.
type rolesAt struct {
	path, prefix      string // of the paths, and of the names of operations
	read, edit, admin tenant.Action
	whose             string // in the summaries
}

// named returns an operation with the name and the path that it has there.
func (at rolesAt) named(op huma.Operation) huma.Operation {
	verb, noun, _ := strings.Cut(op.OperationID, "-")
	op.OperationID, op.Path, op.Summary = verb+"-"+at.prefix+noun, at.path+op.Path, fmt.Sprintf(op.Summary, at.whose)
	if strings.Contains(op.Path, "{org}") {
		op.Parameters = []*huma.Param{{Name: "org", In: "path", Required: true, Description: "organisation id", Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}}}
	}
	return op
}

// ownerIn is whose roles an operation is about: those of the organisation in its
// path, or else the installation's.
func ownerIn(ctx context.Context) ai.Owner { return ai.Owner(allowedOn(ctx).Org) }

// mayOverride tells what a caller may do with a protected label: an editor of an
// organisation leaves it to its administrators.
func (s *server) mayOverride(ctx context.Context, a tenant.Actor, meant bool) (ai.Override, error) {
	if on := allowedOn(ctx); on.Org != 0 {
		switch err := s.tenants.Can(ctx, a, tenant.OrgAdmin, on); {
		case fault.Is(err, fault.Denied):
			return ai.Forbidden, nil
		case err != nil:
			return ai.Forbidden, err
		}
	}
	if meant {
		return ai.Meant, nil
	}
	return ai.AskFirst, nil
}

func (s *server) registerRoles() {
	registerRolesAt(s, rolesAt{"/api/v1/roles", "", tenant.SystemAdmin, tenant.SystemAdmin, tenant.SystemAdmin, "of the installation"})
	own := rolesAt{"/api/v1/orgs/{org}/ai-roles", "org-", tenant.OrgAI, tenant.OrgAI, tenant.OrgAdmin, "of an organisation"}
	registerRolesAt(s, own)
	register(s, own.edit, own.named(post("copy-role", "/{role}/copy", "Make a role %s out of the installation's of that code, as it is in production", http.StatusCreated)),
		func(ctx context.Context, a tenant.Actor, in *InRole) (*edited[ai.Role], error) {
			return rolled(s.opts.AI.Roles().Adopt(ctx, ownerIn(ctx), in.Role, a.Name))
		})
	register(s, own.read, get("list-org-chain-providers", "/api/v1/orgs/{org}/ai-chain-providers", "The model providers that chains of an organisation's roles may name"),
		func(ctx context.Context, _ tenant.Actor, in *InOrg) (*result[Page[ChainProvider]], error) {
			names, err := s.opts.AI.Roles().Providers(ctx, ai.Owner(in.Org))
			items := make([]ChainProvider, len(names))
			for i, name := range names {
				items[i].Name = name
			}
			return all(items, err)
		})
}

// ChainProvider is a provider that a chain may name.
type ChainProvider struct {
	Name string `json:"name"`
}

// rolesOf are the roles of an owner, and beside those of an organisation the ones
// of the installation that its calls may reach: as they are in production, and
// not to be edited there.
func (s *server) rolesOf(ctx context.Context, owner ai.Owner) ([]ai.Role, error) {
	own, err := s.opts.AI.Roles().List(ctx, owner)
	if err != nil || owner == ai.Shared {
		return own, err
	}
	shared, err := s.opts.AI.Roles().Offered(ctx)
	return append(own, shared...), err
}

// roleOf is the one of rolesOf that calls of the owner reach by its code.
func (s *server) roleOf(ctx context.Context, owner ai.Owner, code string) (*ai.Role, error) {
	own, err := s.opts.AI.Roles().Get(ctx, owner, code)
	if owner != ai.Shared && fault.Is(err, fault.NotFound) {
		return s.opts.AI.Roles().OfferedAs(ctx, code)
	}
	return own, err
}

// createRole stores a new role. One over a role of the installation changes what
// calls get at once, so that an editor of an organisation begins with a copy.
func (s *server) createRole(ctx context.Context, a tenant.Actor, r ai.Role) (*ai.Role, error) {
	roles := s.opts.AI.Roles()
	if may, err := s.mayOverride(ctx, a, true); err != nil {
		return nil, err
	} else if may == ai.Forbidden {
		switch _, err := roles.Get(ctx, ai.Shared, r.Code); {
		case err == nil:
			return nil, fault.New(fault.Denied, "role %q is one of the installation's: make a copy of it and store your changes as a draft, or ask an administrator of the organisation", r.Code).WithField("code")
		case !fault.Is(err, fault.NotFound):
			return nil, err
		}
	}
	return roles.Create(ctx, r, a.Name)
}

// registerRolesAt registers all that one does with the roles of an owner.
func registerRolesAt(s *server, at rolesAt) {
	roles := s.opts.AI.Roles()
	register(s, at.read, at.named(get("list-roles", "", "The AI roles %s")),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Page[ai.Role]], error) {
			return all(s.rolesOf(ctx, ownerIn(ctx)))
		})
	register(s, at.edit, at.named(post("create-role", "", "Make an AI role %s", http.StatusCreated)),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body NewRoleRequest }) (*edited[ai.Role], error) {
			r := in.Body.role(in.Body.Code, 0)
			r.Owner = ownerIn(ctx)
			return rolled(s.createRole(ctx, a, r))
		})
	register(s, at.read, at.named(get("get-role", "/{role}", "The latest version of an AI role %s, which need not be the one in production")),
		func(ctx context.Context, _ tenant.Actor, in *InRole) (*edited[ai.Role], error) {
			return rolled(s.roleOf(ctx, ownerIn(ctx), in.Role))
		})
	register(s, at.edit, at.named(put("update-role", "/{role}", "Store a new version of an AI role %s and, unless it is a draft, move production to it: live within a second")),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InRole
			InVersion
			Body RoleChange
		}) (*edited[ai.Role], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			may, err := s.mayOverride(ctx, a, true)
			if err != nil {
				return nil, err
			}
			r := in.Body.role(in.Role, int(version))
			r.Owner = ownerIn(ctx)
			return rolled(roles.Update(ctx, r, !in.Body.Draft, may, a.Name))
		})
	register(s, at.admin, at.named(del("delete-role", "/{role}", "Delete an AI role %s; its history stays")),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InRole
			InVersion
		}) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return done(roles.Delete(ctx, ownerIn(ctx), in.Role, int(version), a.Name))
		})
	register(s, at.read, at.named(get("get-role-history", "/{role}/history", "The versions of an AI role %s, newest first")),
		func(ctx context.Context, _ tenant.Actor, in *InRole) (*result[Page[ai.RoleVersion]], error) {
			return all(roles.History(ctx, ownerIn(ctx), in.Role))
		})
	register(s, at.read, at.named(get("list-role-labels", "/{role}/labels", "The labels of an AI role %s, and to which versions they point")),
		func(ctx context.Context, _ tenant.Actor, in *InRole) (*result[Page[ai.Label]], error) {
			return all(roles.Labels(ctx, ownerIn(ctx), in.Role))
		})
	register(s, at.edit, at.named(put("set-role-label", "/{role}/labels/{label}", "Make a label of an AI role %s or move it: a release, a canary, or the way back")),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InLabel
			Body LabelRequest
		}) (*result[*ai.Label], error) {
			b := in.Body
			may, err := s.mayOverride(ctx, a, b.Override)
			if err != nil {
				return nil, err
			}
			return ok(roles.SetLabel(ctx, ownerIn(ctx), in.Role, ai.Label{Name: in.Label, Version: b.Version, CanaryVersion: b.CanaryVersion, CanaryShare: b.CanaryShare, Protected: b.Protected},
				may, a.Name, b.Reason))
		})
	register(s, at.edit, at.named(del("delete-role-label", "/{role}/labels/{label}", "Remove a label of an AI role %s")),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InLabel
			Override bool `query:"override" doc:"although it is protected"`
		}) (*struct{}, error) {
			may, err := s.mayOverride(ctx, a, in.Override)
			if err != nil {
				return nil, err
			}
			return done(roles.RemoveLabel(ctx, ownerIn(ctx), in.Role, in.Label, may, a.Name, ""))
		})
	register(s, at.read, at.named(get("list-role-moves", "/{role}/moves", "What was done to the labels of an AI role %s, newest first")),
		func(ctx context.Context, _ tenant.Actor, in *InRole) (*result[Page[ai.Move]], error) {
			return all(roles.Moves(ctx, ownerIn(ctx), in.Role))
		})
}
