package scim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/scim"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// house is the edge over a real store, with two organisations and a token each.
type house struct {
	t       *testing.T
	tenants *tenant.Store
	first   *tenant.FirstStart
	admin   tenant.Actor
	other   tenant.Organisation
	handler http.Handler
	token   string // of the first organisation
	foreign string // of the other
}

func newHouse(t *testing.T, db *metadb.DB) *house {
	t.Helper()
	h := &house{t: t, admin: tenant.Actor{UserID: 1, System: true}}
	var err error
	h.tenants, err = tenant.New(tenant.Options{DB: db})
	h.must(err)
	h.first, err = h.tenants.Bootstrap(t.Context(), nil)
	h.must(err)
	h.other, err = h.tenants.CreateOrganisation(t.Context(), h.admin, "Other")
	h.must(err)
	h.token, h.foreign = h.newToken(h.first.Org.ID, tenant.Editor), h.newToken(h.other.ID, tenant.Viewer)
	h.handler, err = scim.New(scim.Options{Tenants: h.tenants, BaseURL: "https://matrix.example.com"})
	h.must(err)
	return h
}

func (h *house) newToken(org int64, role tenant.Role) string {
	h.t.Helper()
	t, err := h.tenants.CreateDirectoryToken(h.t.Context(), h.admin, org, "okta", role)
	h.must(err)
	return t.Secret
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

type object = map[string]any

// send asks as the directory with a token; a body is JSON, or the text that it is.
func (h *house) send(token, method, path string, body any) *httptest.ResponseRecorder {
	h.t.Helper()
	var reader io.Reader = http.NoBody
	switch body := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(body)
	default:
		text, err := json.Marshal(body)
		h.must(err)
		reader = bytes.NewReader(text)
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, "/scim/v2/"+path, reader)
	r.Header.Set("Content-Type", "application/scim+json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer := httptest.NewRecorder()
	h.handler.ServeHTTP(answer, r)
	return answer
}

// do asks as the first organisation's directory and wants a status.
func (h *house) do(status int, method, path string, body any) object {
	h.t.Helper()
	return h.as(h.token, status, method, path, body)
}

func (h *house) as(token string, status int, method, path string, body any) object {
	h.t.Helper()
	answer := h.send(token, method, path, body)
	if answer.Code != status {
		h.t.Fatalf("%s %s: %d, want %d: %s", method, path, answer.Code, status, answer.Body)
	}
	if answer.Body.Len() == 0 {
		return nil
	}
	if kind := answer.Header().Get("Content-Type"); kind != "application/scim+json" {
		h.t.Errorf("%s %s is %q", method, path, kind)
	}
	var out object
	h.must(json.Unmarshal(answer.Body.Bytes(), &out))
	if status >= 400 {
		if out["status"] != fmt.Sprint(status) || out["detail"] == "" || !slices.Equal(out["schemas"].([]any), []any{"urn:ietf:params:scim:api:messages:2.0:Error"}) {
			h.t.Errorf("half an error: %v", out)
		}
	}
	if status == http.StatusCreated && answer.Header().Get("Location") != out["meta"].(object)["location"] {
		h.t.Errorf("Location %q of %v", answer.Header().Get("Location"), out["meta"])
	}
	return out
}

// ann is a user as Okta sends one.
func ann() object {
	return object{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": "Ann@corp.example", "externalId": "00u1", "locale": "en-US", "groups": []string{}, "password": "ignored-here",
		"name": object{"givenName": "Ann", "familyName": "Lee"}, "displayName": "Ann Lee", "active": true,
		"emails": []object{{"primary": true, "value": "ann@corp.example", "type": "work"}},
	}
}

func (h *house) create(user object) (path string, id int64) {
	h.t.Helper()
	made := h.do(http.StatusCreated, http.MethodPost, "Users", user)
	_, err := fmt.Sscan(made["id"].(string), &id)
	h.must(err)
	return "Users/" + made["id"].(string), id
}

func patch(operations ...object) object {
	return object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": operations}
}

func (h *house) find(token, resource, filter string) []any {
	h.t.Helper()
	out := h.as(token, http.StatusOK, http.MethodGet, resource+"?filter="+url.QueryEscape(filter), nil)
	if out["totalResults"].(float64) != float64(len(out["Resources"].([]any))) {
		h.t.Errorf("%v", out)
	}
	return out["Resources"].([]any)
}

func TestWithoutItsTokenNothingIsToldNotEvenWhatThereIs(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	for _, token := range []string{"", "mtx_scim_x", h.token + "x", h.first.Key, strings.Replace(h.token, "scim", "api", 1)} {
		for _, path := range []string{"ServiceProviderConfig", "Users", "Users/1", "Groups", "nothing"} {
			answer := h.send(token, http.MethodGet, path, nil)
			if answer.Code != http.StatusUnauthorized || answer.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%q at %s: %d", token, path, answer.Code)
			}
		}
	}
	tokens, err := h.tenants.DirectoryTokens(t.Context(), h.first.Org.ID)
	if err != nil || len(tokens) != 1 || strings.Contains(fmt.Sprint(tokens), h.token) {
		t.Fatalf("%+v, %v", tokens, err)
	}
	h.do(http.StatusOK, http.MethodGet, "Users", nil)
	if err := h.tenants.RevokeDirectoryToken(t.Context(), h.other.ID, tokens[0].ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("revoked by another organisation: %v", err)
	}
	h.must(h.tenants.RevokeDirectoryToken(t.Context(), h.first.Org.ID, tokens[0].ID))
	h.do(http.StatusUnauthorized, http.MethodGet, "Users", nil)
}

func TestADirectoryFindsOutWhatThereIs(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	config := h.do(http.StatusOK, http.MethodGet, "ServiceProviderConfig", nil)
	if config["patch"].(object)["supported"] != true || config["bulk"].(object)["supported"] != false || config["meta"].(object)["location"] != "https://matrix.example.com/scim/v2/ServiceProviderConfig" {
		t.Errorf("%v", config)
	}
	for path, ids := range map[string][]string{"ResourceTypes": {"User", "Group"}, "Schemas": {"urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group"}} {
		all := h.do(http.StatusOK, http.MethodGet, path, nil)
		if all["totalResults"] != float64(len(ids)) {
			t.Errorf("%v", all)
		}
		for _, id := range ids {
			if one := h.do(http.StatusOK, http.MethodGet, path+"/"+id, nil); one["id"] != id {
				t.Errorf("%v", one)
			}
		}
		h.do(http.StatusNotFound, http.MethodGet, path+"/other", nil)
	}
	h.do(http.StatusNotFound, http.MethodPost, "Bulk", object{})
	h.do(http.StatusNotFound, http.MethodPut, "Users", object{})
}

func TestSomebodyIsProvisionedFoundChangedAndForgotten(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		if found := h.find(h.token, "Users", `userName eq "ann@corp.example"`); len(found) != 0 {
			t.Fatalf("%v", found)
		}
		made := h.do(http.StatusCreated, http.MethodPost, "Users", ann())
		if made["userName"] != "ann@corp.example" || made["displayName"] != "Ann Lee" || made["active"] != true || made["externalId"] != "00u1" || made["password"] != nil {
			t.Errorf("%v", made)
		}
		if again := h.do(http.StatusConflict, http.MethodPost, "Users", ann()); again["scimType"] != "uniqueness" {
			t.Errorf("%v", again)
		}
		path := "Users/" + made["id"].(string)
		for _, filter := range []string{`userName eq "ANN@corp.example"`, `username EQ "ann@corp.example"`, `externalId eq "00u1"`, `emails.value eq "ann@corp.example"`,
			`id eq "` + made["id"].(string) + `"`, `urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ann@corp.example"`} {
			if found := h.find(h.token, "Users", filter); len(found) != 1 || found[0].(object)["id"] != made["id"] {
				t.Errorf("%s: %v", filter, found)
			}
		}
		for _, filter := range []string{`userName eq "bob@corp.example"`, `externalId eq ""`, `id eq "x"`, `userName eq "\""`} {
			if found := h.find(h.token, "Users", filter); len(found) != 0 {
				t.Errorf("%s: %v", filter, found)
			}
		}
		for _, filter := range []string{`userName co "a"`, `userName eq ann`, `userName eq "a" or userName eq "b"`, `password eq "a"`} {
			if bad := h.do(http.StatusBadRequest, http.MethodGet, "Users?filter="+url.QueryEscape(filter), nil); bad["scimType"] != "invalidFilter" {
				t.Errorf("%s: %v", filter, bad)
			}
		}
		changed := ann()
		changed["displayName"], changed["userName"] = "Ann Kim", "ann.kim@corp.example"
		if u := h.do(http.StatusOK, http.MethodPut, path, changed); u["displayName"] != "Ann Kim" || u["userName"] != "ann.kim@corp.example" {
			t.Errorf("%v", u)
		}
		h.do(http.StatusOK, http.MethodPatch, path, patch(object{"op": "replace", "path": "name.givenName", "value": "Anne"}, object{"op": "replace", "path": "name.familyName", "value": "Park"},
			object{"op": "replace", "path": `emails[type eq "work"].value`, "value": "anything@corp.example"}, object{"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "x"}))
		u := h.do(http.StatusOK, http.MethodGet, path, nil)
		if u["displayName"] != "Anne Park" || u["userName"] != "ann.kim@corp.example" {
			t.Errorf("%v", u)
		}
		h.do(http.StatusNoContent, http.MethodDelete, path, nil)
		h.do(http.StatusNotFound, http.MethodGet, path, nil)
		h.do(http.StatusNotFound, http.MethodDelete, path, nil)
		users, err := h.tenants.Users(t.Context())
		if err != nil || len(users) != 2 || !users[1].Disabled { // the account stays, closed
			t.Errorf("%+v, %v", users, err)
		}
	})
}

func TestTheListIsReadInPages(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	for i := range 5 {
		u := ann()
		u["userName"], u["externalId"] = fmt.Sprintf("u%d@corp.example", i), ""
		h.create(u)
	}
	f := func(query string, start, per int) {
		t.Helper()
		out := h.do(http.StatusOK, http.MethodGet, "Users?"+query, nil)
		if out["totalResults"] != 5.0 || out["startIndex"] != float64(start) || out["itemsPerPage"] != float64(per) || len(out["Resources"].([]any)) != per {
			t.Errorf("%s: %v", query, out)
		}
	}
	f("", 1, 5)
	f("startIndex=1&count=2", 1, 2)
	f("startIndex=5&count=2", 5, 1)
	f("startIndex=9", 9, 0)
	f("startIndex=-3&count=-1", 1, 0)
	h.do(http.StatusBadRequest, http.MethodGet, "Users?count=many", nil)
}

func TestWhoIsDeactivatedIsOutAtOnceAndBackWhenActivated(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		path, id := h.create(ann())
		password, err := h.tenants.ResetPassword(ctx, "ann@corp.example")
		h.must(err)
		login := func() (tenant.Session, error) {
			return h.tenants.Login(ctx, tenant.Credentials{Email: "ann@corp.example", Password: password})
		}
		for _, ways := range [][2]object{
			{object{"op": "replace", "value": object{"active": false}}, object{"op": "replace", "value": object{"active": true}}},                                        // Okta
			{object{"op": "Replace", "path": "active", "value": "False"}, object{"op": "Replace", "path": "active", "value": "True"}},                                    // Entra ID
			{object{"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": false}, object{"op": "add", "path": "active", "value": true}}, // by the RFC
		} {
			session, err := login()
			h.must(err)
			token, err := h.tenants.CreateToken(ctx, tenant.Actor{UserID: id}, "ci", []tenant.Scope{tenant.ScopeOrgRead}, time.Now().Add(time.Hour))
			h.must(err)
			_, err = h.tenants.AuthenticateToken(ctx, token.Secret)
			h.must(err)
			if u := h.do(http.StatusOK, http.MethodPatch, path, patch(ways[0])); u["active"] != false {
				t.Errorf("%v", u)
			}
			_, err1 := h.tenants.AuthenticateSession(ctx, session.Secret)
			_, err2 := h.tenants.AuthenticateToken(ctx, token.Secret)
			_, err3 := login()
			for i, err := range []error{err1, err2, err3} {
				if !fault.Is(err, fault.Unauthenticated) {
					t.Errorf("%d: still in: %v", i, err)
				}
			}
			if u := h.do(http.StatusOK, http.MethodPatch, path, patch(ways[1])); u["active"] != true {
				t.Errorf("%v", u)
			}
			if _, err := h.tenants.AuthenticateToken(ctx, token.Secret); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("a revoked token is back: %v", err)
			}
		}
		// What a system admin closed stays closed, whatever the directory does.
		user, err := h.tenants.User(ctx, id)
		h.must(err)
		_, err = h.tenants.UpdateUser(ctx, id, user.Version, tenant.UserChange{Name: user.Name, Disabled: true})
		h.must(err)
		for _, active := range []bool{true, false, true} {
			h.do(http.StatusOK, http.MethodPatch, path, patch(object{"op": "replace", "path": "active", "value": active}))
		}
		if user, err = h.tenants.User(ctx, id); err != nil || !user.Disabled {
			t.Errorf("%+v, %v", user, err)
		}
	})
}

func TestAnOrganisationHasNoSayOverAnybodyElsesAccount(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		h.must(h.tenants.SetMember(ctx, h.admin, h.other.ID, 0, h.first.Email, tenant.Owner))
		bob, err := h.tenants.CreateUser(ctx, "bob@corp.example", "Bob")
		h.must(err)
		session, err := h.tenants.Login(ctx, tenant.Credentials{Email: bob.Email, Password: bob.Password})
		h.must(err)
		h.must(h.tenants.SetMember(ctx, h.admin, h.other.ID, 0, bob.Email, tenant.Viewer))
		h.must(h.tenants.SetMember(ctx, h.admin, h.first.Org.ID, 0, bob.Email, tenant.Viewer))
		// Who is not provisioned does not exist, members of one's own organisation included.
		theirs := fmt.Sprintf("Users/%d", bob.ID)
		h.do(http.StatusNotFound, http.MethodGet, theirs, nil)
		h.do(http.StatusNotFound, http.MethodPatch, theirs, patch(object{"op": "replace", "path": "active", "value": false}))
		h.do(http.StatusNotFound, http.MethodDelete, "Users/1", nil)
		// An account that exists is taken in as it is.
		path, id := h.create(object{"userName": bob.Email, "displayName": "Robert"})
		if id != bob.ID {
			t.Fatalf("made %d beside %d", id, bob.ID)
		}
		h.do(http.StatusOK, http.MethodPut, path, object{"userName": "stolen@corp.example", "displayName": "Robert"})
		h.do(http.StatusOK, http.MethodPatch, path, patch(object{"op": "replace", "path": "active", "value": false}))
		user, err := h.tenants.User(ctx, bob.ID)
		if err != nil || user.Email != bob.Email || user.Name != "Bob" || user.Disabled {
			t.Errorf("%+v, %v", user, err)
		}
		if _, err := h.tenants.AuthenticateSession(ctx, session.Secret); err != nil {
			t.Error(err)
		}
		members, err := h.tenants.Memberships(ctx, bob.ID)
		h.must(err)
		for _, m := range members {
			if m.OrgID == h.first.Org.ID {
				t.Errorf("still a member: %+v", m)
			}
		}
		if len(members) != 2 { // his own organisation, and the other
			t.Errorf("%+v", members)
		}
		// Not the system admin either, and no last owner.
		admin, _ := h.create(object{"userName": h.first.Email, "displayName": "x"})
		h.do(http.StatusConflict, http.MethodPatch, admin, patch(object{"op": "replace", "path": "active", "value": false}))
		// And nothing of one directory is there for another.
		mine, _ := h.create(ann())
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			h.as(h.foreign, http.StatusNotFound, method, mine, nil)
			h.as(h.foreign, http.StatusNotFound, method, fmt.Sprintf("Groups/%d", h.first.Group.ID), nil)
		}
		if found := h.find(h.foreign, "Users", `userName eq "ann@corp.example"`); len(found) != 0 {
			t.Errorf("%v", found)
		}
		groups := h.as(h.foreign, http.StatusOK, http.MethodGet, "Groups", nil)
		if groups["totalResults"] != 1.0 {
			t.Errorf("%v", groups)
		}
		own := groups["Resources"].([]any)[0].(object)["id"].(string)
		_, annID := mine, strings.TrimPrefix(mine, "Users/")
		h.as(h.foreign, http.StatusBadRequest, http.MethodPatch, "Groups/"+own, patch(object{"op": "add", "path": "members", "value": []object{{"value": annID}}}))
	})
}

func TestMembersOfGroupsHaveTheDirectorysRole(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		_, annID := h.create(ann())
		_, bobID := h.create(object{"userName": "bob@corp.example"})
		a, b := fmt.Sprint(annID), fmt.Sprint(bobID)
		made := h.do(http.StatusCreated, http.MethodPost, "Groups", object{"displayName": "SRE", "members": []object{{"value": a}}})
		path := "Groups/" + made["id"].(string)
		if again := h.do(http.StatusConflict, http.MethodPost, "Groups", object{"displayName": "SRE"}); again["scimType"] != "uniqueness" {
			t.Errorf("%v", again)
		}
		members := func(want ...string) {
			t.Helper()
			var got []string
			if list, ok := h.do(http.StatusOK, http.MethodGet, path, nil)["members"].([]any); ok {
				for _, m := range list {
					got = append(got, m.(object)["value"].(string))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("members %v, want %v", got, want)
			}
		}
		role := func(user int64, want tenant.Role) {
			t.Helper()
			var got tenant.Role
			all, err := h.tenants.Memberships(ctx, user)
			h.must(err)
			for _, m := range all {
				if fmt.Sprint(m.GroupID) == made["id"] {
					got = m.Role
				}
			}
			if got != want {
				t.Errorf("user %d is %q, want %q", user, got, want)
			}
		}
		members(a)
		role(annID, tenant.Editor)
		h.do(http.StatusOK, http.MethodPatch, path, patch(object{"op": "Add", "path": "members", "value": []object{{"value": b}, {"value": a}}}))
		members(a, b)
		var group int64
		_, err := fmt.Sscan(made["id"].(string), &group)
		h.must(err)
		h.must(h.tenants.SetMember(ctx, h.admin, h.first.Org.ID, group, "ann@corp.example", tenant.Admin)) // by hand
		h.do(http.StatusOK, http.MethodPatch, path, patch(object{"op": "replace", "path": "members", "value": []object{{"value": a}}}))
		members(a)
		role(annID, tenant.Admin) // stays
		role(bobID, "")
		h.do(http.StatusOK, http.MethodPatch, path, patch(object{"op": "replace", "value": object{"id": made["id"], "displayName": "Site reliability"}}))
		if found := h.find(h.token, "Groups", `displayName eq "Site reliability"`); len(found) != 1 {
			t.Errorf("%v", found)
		}
		h.do(http.StatusOK, http.MethodPut, path, object{"displayName": "SRE", "members": []object{{"value": b}}})
		members(b)
		h.do(http.StatusOK, http.MethodPatch, path, patch(object{"op": "remove", "path": `members[value eq "` + b + `"]`}))
		members()
		h.do(http.StatusOK, http.MethodPatch, path, patch(object{"op": "add", "path": "members", "value": []object{{"value": a}, {"value": b}}},
			object{"op": "Remove", "path": "members", "value": []object{{"value": a}}}))
		members(b)
		// All or nothing.
		h.do(http.StatusBadRequest, http.MethodPatch, path, patch(object{"op": "add", "path": "members", "value": []object{{"value": a}}}, object{"op": "add", "path": "members", "value": []object{{"value": "1"}}}))
		members(b)
		// Who is in a group and not provisioned is nobody the directory sees or removes.
		h.must(h.tenants.SetMember(ctx, h.admin, h.first.Org.ID, group, h.first.Email, tenant.Viewer))
		h.do(http.StatusOK, http.MethodPatch, path, patch(object{"op": "remove", "path": "members"}))
		members()
		role(1, tenant.Viewer)
		if out := h.do(http.StatusOK, http.MethodGet, "Groups?excludedAttributes=members", nil); strings.Contains(fmt.Sprint(out), "members") {
			t.Errorf("%v", out)
		}
		h.do(http.StatusNoContent, http.MethodDelete, path, nil)
		h.do(http.StatusNotFound, http.MethodGet, path, nil)
		h.do(http.StatusConflict, http.MethodDelete, fmt.Sprintf("Groups/%d", h.first.Group.ID), nil) // it has a project
	})
}

func TestWhatIsWronglyAskedIsRefusedInTheWordsOfTheRFC(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	path, _ := h.create(ann())
	f := func(kind, method, path string, body any) {
		t.Helper()
		if out := h.do(http.StatusBadRequest, method, path, body); out["scimType"] != kind {
			t.Errorf("%s %s %v: %v, want %s", method, path, body, out, kind)
		}
	}
	f("invalidSyntax", http.MethodPost, "Users", "{")
	f("invalidValue", http.MethodPost, "Users", object{"displayName": "Nobody"})
	f("invalidValue", http.MethodPost, "Users", object{"userName": "no address"})
	f("invalidSyntax", http.MethodPatch, path, object{"Operations": []object{{"op": "replace", "path": "active", "value": false}}})
	f("invalidSyntax", http.MethodPatch, path, patch())
	f("invalidSyntax", http.MethodPatch, path, patch(object{"op": "move", "path": "active"}))
	f("noTarget", http.MethodPatch, path, patch(object{"op": "remove"}))
	f("invalidValue", http.MethodPatch, path, patch(object{"op": "replace", "path": "active", "value": "maybe"}))
	f("invalidValue", http.MethodPatch, path, patch(object{"op": "replace", "path": "displayName", "value": 7}))
	f("mutability", http.MethodPatch, path, patch(object{"op": "remove", "path": "userName"}))
	f("invalidSyntax", http.MethodPatch, path, patch(object{"op": "replace", "value": "active"}))
	f("invalidValue", http.MethodPost, "Groups", object{"displayName": " "})
	f("invalidValue", http.MethodPost, "Groups", object{"displayName": "x", "members": []object{{"value": "ann"}}})
	f("invalidFilter", http.MethodGet, "Groups?filter="+url.QueryEscape(`members eq "1"`), nil)
	if u := h.do(http.StatusOK, http.MethodGet, path, nil); u["active"] != true || u["displayName"] != "Ann Lee" {
		t.Errorf("a refused change was made: %v", u)
	}
	h.do(http.StatusNotFound, http.MethodGet, "Users/ann", nil)
}

func TestATokenIsForTeamsAndMakesNoOwners(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	for _, role := range []tenant.Role{tenant.Owner, "king", ""} {
		if _, err := h.tenants.CreateDirectoryToken(t.Context(), h.admin, h.first.Org.ID, "x", role); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", role, err)
		}
	}
	if _, err := h.tenants.CreateDirectoryToken(t.Context(), h.admin, 1, "x", tenant.Viewer); !fault.Is(err, fault.Conflict) { // the admin's own
		t.Errorf("%v", err)
	}
	if _, err := h.tenants.CreateDirectoryToken(t.Context(), h.admin, 999, "x", tenant.Viewer); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}
