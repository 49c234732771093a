package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

func TestAPriceOfAModelWithASlashInItsNameIsSetReadAndDeleted(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	admin := h.admin()
	const path = "/api/v1/ai-prices/canned/meta%2Fllama-3.3:70b"
	find := func() *ai.Price {
		t.Helper()
		var page Page[ai.Price]
		h.decode(admin.do(http.MethodGet, "/api/v1/ai-prices", nil, nil), http.StatusOK, &page)
		if i := slices.IndexFunc(page.Items, func(p ai.Price) bool { return p.Provider == "canned" && p.Model == "meta/llama-3.3:70b" }); i >= 0 {
			return &page.Items[i]
		}
		return nil
	}
	h.decode(admin.do(http.MethodPut, path, PriceRequest{Input: 0.12, Output: 0.3}, nil), http.StatusOK, nil)
	if p := find(); p == nil || p.Input != 0.12 || p.Output != 0.3 || p.UpdatedAt == nil || p.UpdatedBy == "" || p.UpdatedBy == "matrix" {
		t.Errorf("price %+v", p)
	}
	h.decode(admin.do(http.MethodDelete, path, nil, nil), http.StatusNoContent, nil)
	if p := find(); p != nil {
		t.Errorf("it is still there: %+v", p)
	}
	h.problem(admin.do(http.MethodDelete, path, nil, nil), http.StatusNotFound)
	if wrong := h.problem(admin.do(http.MethodPut, path, PriceRequest{Input: -1}, nil), http.StatusUnprocessableEntity); len(wrong.Violations) != 1 {
		t.Errorf("problem %+v", wrong)
	}
}

func TestEachOwnersPricesAreItsOwnAndNoStoredNameReachesAnothers(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	admin := h.admin()
	p := &place{h: h, org: h.first.Org.ID}
	own := p.newOwnPrice()
	for path, status := range map[string]int{
		"/api/v1/ai-prices/" + url.PathEscape(fmt.Sprintf("%d/%s", p.org, own.Provider)) + "/m": http.StatusUnprocessableEntity,
		"/api/v1/ai-price-versions/" + strconv.FormatInt(own.Version, 10):                       http.StatusNotFound,
	} {
		h.problem(admin.do(http.MethodDelete, path, nil, nil), status)
	}
	org := fmt.Sprintf("/api/v1/orgs/%d/ai-prices", p.org)
	// The installation may name a provider that is not there, an organisation may not.
	h.decode(admin.do(http.MethodPut, "/api/v1/ai-prices/unheard-of/m", PriceRequest{Input: 1}, nil), http.StatusOK, nil)
	h.problem(admin.do(http.MethodPut, org+"/unheard-of/m", PriceRequest{Input: 1}, nil), http.StatusNotFound)
	var page Page[ai.Price]
	h.decode(admin.do(http.MethodGet, org, nil, nil), http.StatusOK, &page)
	if len(page.Items) != 1 || page.Items[0].Provider != own.Provider {
		t.Errorf("prices of acme %+v", page.Items)
	}
}

func TestTheProvidersOfARoleAreNamedWithoutTheirKeys(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	admin := h.admin()
	var page Page[ai.ModelService]
	h.decode(admin.do(http.MethodGet, "/api/v1/ai-providers", nil, nil), http.StatusOK, &page)
	if len(page.Items) != 1 || page.Items[0].Name != "canned" || !page.Items[0].Configured || page.Items[0].Keys[0].Alias != "main" {
		t.Errorf("providers %v", page.Items)
	}
	body := roleBody()
	body.Chain[0].Provider = "unheard-of"
	p := h.problem(admin.do(http.MethodPost, "/api/v1/roles", NewRoleRequest{"one", body}, nil), http.StatusUnprocessableEntity)
	if p.Field != "chain" || p.Detail != `there is no provider "unheard-of": configured are canned` {
		t.Errorf("problem %+v", p)
	}
}
