package tenant

import (
	"slices"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Permissions are what roles are made of: the actions that have a target, and
// what may be seen unmasked. Their order is that of a screen.
var Permissions = []Action{
	OrgRead, OrgMembers, OrgAudit, OrgAI, OrgAdmin, OrgOwner,
	GroupRead, GroupAdmin,
	ProjectRead, ProjectSave, ProjectAsk, ProjectModel, ProjectWrite, ProjectAdmin,
	DataSQL, DataPersonal, DataPrompts,
}

// permissions is a set of them.
type permissions uint32

func (p permissions) has(act Action) bool { return p&bits[act] != 0 }

// covers reports whether all of other are in p.
func (p permissions) covers(other permissions) bool { return other&^p == 0 }

// list returns the permissions of the set in their order.
func (p permissions) list() []Action {
	out := []Action{}
	for _, act := range Permissions {
		if p.has(act) {
			out = append(out, act)
		}
	}
	return out
}

// bits has one for each permission; builtIn what the roles of the product hold,
// which follows from requirements: there is one table of who may do what.
var bits, builtIn = func() (map[Action]permissions, map[Role]permissions) {
	bits, roles := map[Action]permissions{}, map[Role]permissions{}
	for i, act := range Permissions {
		bits[act] = 1 << i
		for _, role := range Roles {
			if role.covers(requirements[act].role) {
				roles[role] |= bits[act]
			}
		}
	}
	return bits, roles
}()

// PermissionsOf returns what a role of the product holds.
func PermissionsOf(role Role) []Action { return builtIn[role].list() }

// needs are the permissions without which another is of no use.
var needs = map[Action][]Action{
	GroupAdmin:   {GroupRead},
	OrgAdmin:     {OrgMembers, GroupRead},
	ProjectSave:  {ProjectRead},
	ProjectAsk:   {ProjectRead},
	ProjectModel: {ProjectRead, ProjectAsk},
	ProjectWrite: {ProjectRead},
	ProjectAdmin: {ProjectRead},
	DataSQL:      {ProjectRead},
	DataPersonal: {ProjectRead},
	DataPrompts:  {ProjectRead},
}

// setOf returns the set of a role's permissions with what they need. Whoever has
// a role knows the organisation it is in. Making owners is for owners only.
func setOf(acts []Action) (set permissions, err error) {
	set = bits[OrgRead]
	for _, act := range acts {
		if !slices.Contains(Permissions, act) {
			return 0, fault.New(fault.Invalid, "there is no permission %q", act).WithField("permissions")
		}
		if act == OrgOwner {
			return 0, fault.New(fault.Invalid, "only the role owner can make and unmake owners").WithField("permissions")
		}
		set |= bits[act]
		for _, other := range needs[act] {
			set |= bits[other]
		}
	}
	return set, nil
}

// read returns the set of what is stored. A permission that is not known any
// more gives nothing.
func read(acts []Action) (set permissions) {
	for _, act := range acts {
		set |= bits[act]
	}
	return set
}

// Sees is what an actor sees unmasked of a project.
type Sees struct {
	SQL      bool `json:"sql" doc:"values in SQL statements"`
	Personal bool `json:"personal" doc:"personal data in what services tell"`
	Prompts  bool `json:"prompts" doc:"what was said to models and by them"`
}

// Everything is what nobody is kept from.
var Everything = Sees{true, true, true}

// Who sees data of a project unmasked, beside whom permissions let.
const (
	ShowByRole   = ""
	ShowEveryone = "everyone" // who reads the project
	ShowNobody   = "nobody"
)

// shown decides by a project's setting, and by the permission where it has none.
func shown(setting string, permitted bool) bool {
	return setting == ShowEveryone || permitted && setting != ShowNobody
}
