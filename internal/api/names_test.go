package api

import "testing"

func TestAnOrganisationsOwnRoleIsNamedByItsCodeAndASharedOneIsItsCode(t *testing.T) {
	var own, shared, purpose string
	err := new(server).nameSubjects(t.Context(), []naming{{"role", "7/order-assistant", &own}, {"role", "order-assistant", &shared}, {"purpose", "judge", &purpose}})
	if err != nil || own != "order-assistant" || shared != "" || purpose != "" {
		t.Errorf("own %q, shared %q, purpose %q, %v", own, shared, purpose, err)
	}
}
