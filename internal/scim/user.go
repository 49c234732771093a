package scim

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// user is a User of RFC 7643 section 4.1, as far as accounts have what it asks for.
type user struct {
	Schemas    []string `json:"schemas"`
	ID         string   `json:"id"`
	ExternalID string   `json:"externalId,omitempty"`
	UserName   string   `json:"userName"`
	Name       fullName `json:"name"`
	Display    string   `json:"displayName"`
	Emails     []email  `json:"emails"`
	Active     bool     `json:"active"`
	Meta       meta     `json:"meta"`
}

type fullName struct {
	Formatted string `json:"formatted,omitempty"`
	Given     string `json:"givenName,omitempty"`
	Family    string `json:"familyName,omitempty"`
}

type email struct {
	Value   string `json:"value"`
	Type    string `json:"type,omitempty"`
	Primary truth  `json:"primary"`
}

func (u user) location() string { return u.Meta.Location }

// asked is a user as a directory sends it.
type asked struct {
	ExternalID string   `json:"externalId"`
	UserName   string   `json:"userName"`
	Name       fullName `json:"name"`
	Display    string   `json:"displayName"`
	Emails     []email  `json:"emails"`
	Active     *truth   `json:"active"`
}

// wanted is what an asked user is here: the address is the userName, or the
// primary of the addresses where the userName is none.
func (a asked) wanted() (tenant.DirectoryUser, error) {
	if strings.TrimSpace(a.UserName) == "" {
		return tenant.DirectoryUser{}, &badRequest{"invalidValue", "userName is required"}
	}
	u := tenant.DirectoryUser{Email: a.UserName, ExternalID: a.ExternalID, Active: a.Active == nil || bool(*a.Active)}
	if !strings.Contains(u.Email, "@") {
		for _, e := range a.Emails {
			if bool(e.Primary) || !strings.Contains(u.Email, "@") {
				u.Email = e.Value
			}
		}
	}
	if len(u.ExternalID) > 300 {
		return u, &badRequest{"invalidValue", "externalId has at most 300 characters"}
	}
	u.Name = a.Display
	if u.Name == "" {
		u.Name = a.Name.Formatted
	}
	if u.Name == "" {
		u.Name = strings.TrimSpace(a.Name.Given + " " + a.Name.Family)
	}
	return u, nil
}

func (c *call) user(u tenant.DirectoryUser) user {
	id := strconv.FormatInt(u.ID, 10)
	return user{
		Schemas: []string{schemaUser}, ID: id, ExternalID: u.ExternalID, UserName: u.Email, Name: fullName{Formatted: u.Name}, Display: u.Name,
		Emails: []email{{Value: u.Email, Type: "work", Primary: true}}, Active: u.Active,
		Meta: meta{Type: "User", Created: &u.CreatedAt, Modified: &u.UpdatedAt, Location: c.base + "/Users/" + id},
	}
}

func (s *server) listUsers(c *call) (int, any, error) {
	start, count, err := c.page()
	if err != nil {
		return 0, nil, err
	}
	attribute, value, err := filter(c.URL.Query().Get("filter"))
	if err != nil {
		return 0, nil, err
	}
	var by tenant.UserFilter
	switch attribute {
	case "":
	case "username", "emails", "emails.value":
		by.Email = value
	case "externalid":
		by.ExternalID = value
	case "id":
		return s.userByID(c, value)
	default:
		return 0, nil, &badRequest{"invalidFilter", "users are found by userName, externalId, emails.value or id"}
	}
	if attribute != "" && value == "" {
		return http.StatusOK, listOf([]user{}, 0, start), nil
	}
	found, total, err := c.directory.Users(c, by, start-1, count)
	return http.StatusOK, listOf(each(found, c.user), total, start), err
}

// userByID is the list that the filter id eq "…" asks for.
func (s *server) userByID(c *call, value string) (int, any, error) {
	id, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return http.StatusOK, listOf([]user{}, 0, 1), nil //nolint:nilerr // what is no number names nobody
	}
	u, err := c.directory.User(c, id)
	if fault.Is(err, fault.NotFound) {
		return http.StatusOK, listOf([]user{}, 0, 1), nil
	}
	return http.StatusOK, listOf([]user{c.user(u)}, 1, 1), err
}

func each[A, B any](items []A, of func(A) B) []B {
	out := make([]B, len(items))
	for i, item := range items {
		out[i] = of(item)
	}
	return out
}

func (s *server) createUser(c *call) (int, any, error) {
	var a asked
	if err := c.read(&a); err != nil {
		return 0, nil, err
	}
	want, err := a.wanted()
	if err != nil {
		return 0, nil, err
	}
	u, err := c.directory.CreateUser(c, want)
	return http.StatusCreated, c.user(u), err
}

func (s *server) getUser(c *call) (int, any, error) {
	id, err := c.id()
	if err != nil {
		return 0, nil, err
	}
	u, err := c.directory.User(c, id)
	return http.StatusOK, c.user(u), err
}

func (s *server) putUser(c *call) (int, any, error) {
	id, err := c.id()
	if err != nil {
		return 0, nil, err
	}
	var a asked
	if err := c.read(&a); err != nil {
		return 0, nil, err
	}
	want, err := a.wanted()
	if err != nil {
		return 0, nil, err
	}
	u, err := c.directory.UpdateUser(c, id, want)
	return http.StatusOK, c.user(u), err
}

func (s *server) patchUser(c *call) (int, any, error) {
	id, err := c.id()
	if err != nil {
		return 0, nil, err
	}
	operations, err := c.operations()
	if err != nil {
		return 0, nil, err
	}
	u, err := c.directory.User(c, id)
	if err != nil {
		return 0, nil, err
	}
	given, family := "", ""
	for _, op := range operations {
		values, err := op.attributes()
		if err != nil {
			return 0, nil, err
		}
		for attribute, value := range values {
			if err := patchUser(&u, &given, &family, op.Op, attribute, value); err != nil {
				return 0, nil, err
			}
		}
	}
	if name := strings.TrimSpace(given + " " + family); name != "" {
		u.Name = name
	}
	u, err = c.directory.UpdateUser(c, id, u)
	return http.StatusOK, c.user(u), err
}

func (s *server) deleteUser(c *call) (int, any, error) {
	id, err := c.id()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, c.directory.DeleteUser(c, id)
}
