package scim

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/matrix-aiops/matrix/internal/tenant"
)

// group is a Group of RFC 7643 section 4.2.
type group struct {
	Schemas []string `json:"schemas"`
	ID      string   `json:"id"`
	Display string   `json:"displayName"`
	Members []member `json:"members,omitempty"`
	Meta    meta     `json:"meta"`
}

type member struct {
	Value   string `json:"value"`
	Ref     string `json:"$ref,omitempty"`
	Type    string `json:"type,omitempty"`
	Display string `json:"display,omitempty"`
}

func (g group) location() string { return g.Meta.Location }

func (c *call) group(g tenant.DirectoryGroup) group {
	id := strconv.FormatInt(g.ID, 10)
	return group{
		Schemas: []string{schemaGroup}, ID: id, Display: g.Name,
		Members: each(g.Members, func(m tenant.DirectoryMember) member {
			who := strconv.FormatInt(m.ID, 10)
			return member{Value: who, Ref: c.base + "/Users/" + who, Type: "User", Display: m.Name}
		}),
		Meta: meta{Type: "Group", Created: &g.CreatedAt, Location: c.base + "/Groups/" + id},
	}
}

// memberIDs reads who is named; what is no number names nobody that is provisioned.
func memberIDs(members []member) ([]int64, error) {
	ids := make([]int64, len(members))
	for i, m := range members {
		id, err := strconv.ParseInt(m.Value, 10, 64)
		if err != nil {
			return nil, &badRequest{"invalidValue", "a member's value is the id of a user"}
		}
		ids[i] = id
	}
	return ids, nil
}

func (s *server) listGroups(c *call) (int, any, error) {
	start, count, err := c.page()
	if err != nil {
		return 0, nil, err
	}
	attribute, value, err := filter(c.URL.Query().Get("filter"))
	if err != nil {
		return 0, nil, err
	}
	if attribute != "" && attribute != "displayname" {
		return 0, nil, &badRequest{"invalidFilter", "groups are found by displayName"}
	}
	if attribute != "" && value == "" {
		return http.StatusOK, listOf([]group{}, 0, start), nil
	}
	found, total, err := c.directory.Groups(c, value, start-1, count, !c.withoutMembers())
	return http.StatusOK, listOf(each(found, c.group), total, start), err
}

func (c *call) withoutMembers() bool {
	for name := range strings.SplitSeq(c.URL.Query().Get("excludedAttributes"), ",") {
		if plainPath(strings.TrimSpace(name)) == "members" {
			return true
		}
	}
	return false
}

func (s *server) getGroup(c *call) (int, any, error) {
	id, err := c.id()
	if err != nil {
		return 0, nil, err
	}
	g, err := c.directory.Group(c, id)
	if c.withoutMembers() {
		g.Members = nil
	}
	return http.StatusOK, c.group(g), err
}

type askedGroup struct {
	Display string   `json:"displayName"`
	Members []member `json:"members"`
}

func (c *call) askedGroup() (name string, members []int64, err error) {
	var a askedGroup
	if err := c.read(&a); err != nil {
		return "", nil, err
	}
	if strings.TrimSpace(a.Display) == "" {
		return "", nil, &badRequest{"invalidValue", "displayName is required"}
	}
	members, err = memberIDs(a.Members)
	return a.Display, members, err
}

func (s *server) createGroup(c *call) (int, any, error) {
	name, members, err := c.askedGroup()
	if err != nil {
		return 0, nil, err
	}
	g, err := c.directory.CreateGroup(c, name, members)
	return http.StatusCreated, c.group(g), err
}

func (s *server) putGroup(c *call) (int, any, error) {
	id, err := c.id()
	if err != nil {
		return 0, nil, err
	}
	name, members, err := c.askedGroup()
	if err != nil {
		return 0, nil, err
	}
	g, err := c.directory.UpdateGroup(c, id, []tenant.GroupChange{{Name: name, Clear: true, Join: members}})
	return http.StatusOK, c.group(g), err
}

func (s *server) patchGroup(c *call) (int, any, error) {
	id, err := c.id()
	if err != nil {
		return 0, nil, err
	}
	operations, err := c.operations()
	if err != nil {
		return 0, nil, err
	}
	var changes []tenant.GroupChange
	for _, op := range operations {
		values, err := op.attributes()
		if err != nil {
			return 0, nil, err
		}
		for attribute, value := range values {
			change, err := patchGroup(op.Op, attribute, value)
			if err != nil {
				return 0, nil, err
			}
			changes = append(changes, change)
		}
	}
	g, err := c.directory.UpdateGroup(c, id, changes)
	return http.StatusOK, c.group(g), err
}

var oneMember = regexp.MustCompile(`^members\[value eq "([0-9]+)"\]$`)

// patchGroup reads one change. Attributes that groups do not have are left alone.
func patchGroup(op, attribute string, value json.RawMessage) (change tenant.GroupChange, err error) {
	if found := oneMember.FindStringSubmatch(attribute); found != nil && op == "remove" {
		change.Leave, err = memberIDs([]member{{Value: found[1]}})
		return change, err
	}
	switch attribute {
	case "displayname":
		if op == "remove" {
			return change, &badRequest{"mutability", "displayName cannot be removed"}
		}
		if err := json.Unmarshal(value, &change.Name); err != nil || strings.TrimSpace(change.Name) == "" {
			return change, &badRequest{"invalidValue", "displayName is a text"}
		}
		return change, nil
	case "members":
	default:
		if strings.HasPrefix(attribute, "members") {
			return change, &badRequest{"invalidPath", `a member is named as members[value eq "id"]`}
		}
		return change, nil
	}
	var members []member
	if len(value) > 0 && string(value) != "null" {
		if err := json.Unmarshal(value, &members); err != nil {
			return change, &badRequest{"invalidValue", "members is a list"}
		}
	}
	ids, err := memberIDs(members)
	switch {
	case op == "add":
		change.Join = ids
	case op == "replace":
		change.Clear, change.Join = true, ids
	case len(ids) == 0: // remove without a value: all of them
		change.Clear = true
	default:
		change.Leave = ids
	}
	return change, err
}

func (s *server) deleteGroup(c *call) (int, any, error) {
	id, err := c.id()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, c.directory.DeleteGroup(c, id)
}
