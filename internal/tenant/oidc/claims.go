package oidc

import (
	"slices"
	"strings"

	"github.com/matrix-aiops/matrix/internal/tenant"
)

// find returns a claim by its name, or by a path of names with dots between
// them: names with dots in them exist, and come first.
func find(claims map[string]any, name string) (any, bool) {
	if value, ok := claims[name]; ok {
		return value, true
	}
	head, rest, ok := strings.Cut(name, ".")
	if !ok {
		return nil, false
	}
	inner, ok := claims[head].(map[string]any)
	if !ok {
		return nil, false
	}
	return find(inner, rest)
}

func text(claims map[string]any, name string) string {
	value, _ := find(claims, name)
	s, _ := value.(string)
	return strings.TrimSpace(s)
}

// truth reads a claim that some providers send as a text.
func truth(claims map[string]any, name string) bool {
	switch value := claims[name].(type) {
	case bool:
		return value
	case string:
		return strings.EqualFold(value, "true")
	}
	return false
}

// texts reads a list of texts, or a single one. Others in the list are left out.
func texts(claims map[string]any, name string) (all []string) {
	value, _ := find(claims, name)
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		for _, one := range value {
			if s, ok := one.(string); ok {
				all = append(all, s)
			}
		}
	}
	return all
}

// satisfied reports whether claims say all that is asked of them.
func (p Provider) satisfied(claims map[string]any) bool {
	if _, ok := find(claims, p.EmailClaim); !ok {
		return false
	}
	if len(p.Mappings) == 0 {
		return true
	}
	_, ok := find(claims, p.GroupsClaim)
	return ok
}

// identity reads who claims are about. Accounts are found by the address, so
// that one the provider does not vouch for is refused.
func (p Provider) identity(claims map[string]any) (tenant.Identity, error) {
	who := tenant.Identity{Provider: p.Code, Subject: text(claims, "sub"), Email: strings.ToLower(text(claims, p.EmailClaim)), Name: text(claims, p.NameClaim), Create: p.CreateUsers}
	// email_verified speaks of email alone, whatever else holds an address.
	verified := p.TrustEmail || p.EmailClaim == "email" && truth(claims, "email_verified")
	if who.Email == "" || !verified {
		return who, &Failure{Reason: Unverified}
	}
	if domain := who.Email[strings.LastIndexByte(who.Email, '@')+1:]; len(p.Domains) > 0 && !slices.Contains(p.Domains, domain) {
		return who, &Failure{Reason: Domain}
	}
	if runes := []rune(who.Name); len(runes) > 100 {
		who.Name = string(runes[:100])
	}
	who.Name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, who.Name)
	groups := texts(claims, p.GroupsClaim)
	for _, m := range p.Mappings {
		if slices.Contains(groups, m.Value) {
			who.Grants = append(who.Grants, tenant.Grant{Org: m.OrgID, Group: m.GroupID, Role: m.Role})
		}
	}
	return who, nil
}
