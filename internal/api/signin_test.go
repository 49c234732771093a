package api

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// appCode is what an authenticator app shows for a secret.
func appCode(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1000000)
}

// enrol sets up a second factor through the API.
func (c *client) enrol(password string) (secret string, recovery []string) {
	c.h.t.Helper()
	var begun tenant.NewSecondFactor
	c.h.decode(c.do(http.MethodPost, "/api/v1/me/totp", PasswordAgain{password}, nil), http.StatusCreated, &begun)
	var codes RecoveryCodes
	c.h.decode(c.do(http.MethodPost, "/api/v1/me/totp/confirm", CodeRequest{appCode(c.h.t, begun.Secret, time.Now())}, nil), http.StatusOK, &codes)
	return begun.Secret, codes.Codes
}

func TestSigningInAsksForTheCodeAfterThePassword(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	secret, recovery := h.admin().enrol(h.first.Password)
	try := func(password, code string) (int, string) {
		answer := h.anonymous().do(http.MethodPost, "/api/v1/session", Login{Email: h.first.Email, Password: password, Code: code}, nil)
		if answer.Code == http.StatusOK {
			return answer.Code, ""
		}
		if len(answer.Result().Cookies()) != 0 {
			t.Error("a cookie without a login")
		}
		return answer.Code, h.problem(answer, answer.Code).Field
	}
	f := func(status int, field, password, code string) {
		t.Helper()
		if got, at := try(password, code); got != status || at != field {
			t.Errorf("%d %q, want %d %q", got, at, status, field)
		}
	}
	f(http.StatusUnauthorized, "", "wrong password", "") // says nothing of a second factor
	f(http.StatusUnauthorized, "code", h.first.Password, "")
	f(http.StatusUnauthorized, "code", h.first.Password, "000000")
	f(http.StatusOK, "", h.first.Password, recovery[0])
	f(http.StatusOK, "", h.first.Password, appCode(t, secret, time.Now().Add(30*time.Second)))
	for _, plain := range []string{secret, recovery[1]} {
		if strings.Contains(h.log.String(), plain) {
			t.Error("the log holds a secret")
		}
	}
}

func TestUntilADemandedSecondFactorIsSetUpNothingElseIsDone(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	c := h.admin()
	token := c.withToken(tenant.ScopeOrgRead)
	h.decode(c.do(http.MethodPut, "/api/v1/sign-in", DemandRequest{true}, nil), http.StatusOK, nil)
	var me Me
	h.decode(c.do(http.MethodGet, "/api/v1/me", nil, nil), http.StatusOK, &me)
	if !me.MustEnrol || len(me.Projects) != 0 || me.User.Email != h.first.Email {
		t.Errorf("%+v", me)
	}
	for path, body := range map[string]any{"/api/v1/tokens": TokenRequest{"t", []tenant.Scope{tenant.ScopeOrgRead}, h.soon()}, "/api/v1/orgs": Named{"x"}} {
		if p := h.problem(c.do(http.MethodPost, path, body, nil), http.StatusForbidden); p.Field != "totp" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	for _, path := range []string{"/api/v1/orgs", "/api/v1/sessions", h.projectPath(""), h.projectPath("/incidents")} {
		h.problem(c.do(http.MethodGet, path, nil, nil), http.StatusForbidden)
	}
	h.decode(token.do(http.MethodGet, "/api/v1/orgs", nil, nil), http.StatusOK, nil) // a token is no sign-in
	c.enrol(h.first.Password)
	h.decode(c.do(http.MethodGet, h.projectPath(""), nil, nil), http.StatusOK, nil)
	h.decode(c.do(http.MethodGet, "/api/v1/me", nil, nil), http.StatusOK, &me)
	if me.MustEnrol || len(me.Projects) != 1 {
		t.Errorf("%+v", me)
	}
	if status := h.anonymous().do(http.MethodPost, "/api/v1/session", Login{Email: h.first.Email, Password: h.first.Password}, nil).Code; status != http.StatusUnauthorized {
		t.Errorf("a password alone: %d", status)
	}
}

func TestASessionThatIsEndedElsewhereIsOver(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	here, there := h.admin(), h.admin()
	var list Page[tenant.LiveSession]
	h.decode(here.do(http.MethodGet, "/api/v1/sessions", nil, nil), http.StatusOK, &list)
	if list.Total != 2 || !list.Items[0].Current || list.Items[1].Current || strings.Contains(fmt.Sprint(list), here.cookie.Value) {
		t.Fatalf("%+v", list)
	}
	h.decode(here.do(http.MethodDelete, "/api/v1/sessions/"+list.Items[1].ID, nil, nil), http.StatusNoContent, nil)
	h.problem(there.do(http.MethodGet, "/api/v1/me", nil, nil), http.StatusUnauthorized)
	h.decode(here.do(http.MethodGet, "/api/v1/me", nil, nil), http.StatusOK, nil)
	viewer := h.viewer()
	var me Me
	h.decode(viewer.do(http.MethodGet, "/api/v1/me", nil, nil), http.StatusOK, &me)
	h.decode(here.do(http.MethodDelete, fmt.Sprintf("/api/v1/users/%d/sessions", me.User.ID), nil, nil), http.StatusNoContent, nil)
	h.problem(viewer.do(http.MethodGet, "/api/v1/me", nil, nil), http.StatusUnauthorized)
}
