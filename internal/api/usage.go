package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/ai/usage"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InUsageFilter narrows what was used of models to some of it.
type InUsageFilter struct {
	Org      string `query:"org_id" maxLength:"20" doc:"number"`
	Group    string `query:"group_id" maxLength:"20" doc:"number"`
	Of       string `query:"project_id" maxLength:"20" doc:"number"`
	Person   string `query:"person" maxLength:"20" doc:"number of an account, 0 for none"`
	Token    string `query:"token" maxLength:"20" doc:"number of an API token, 0 for none"`
	Purpose  string `query:"purpose" maxLength:"63"`
	Role     string `query:"role" maxLength:"63"`
	Provider string `query:"provider" maxLength:"63"`
	Model    string `query:"model" maxLength:"200"`
}

func (f InUsageFilter) where() map[string]string {
	where := map[string]string{}
	for name, value := range map[string]string{"org": f.Org, "group": f.Group, "project": f.Of, "person": f.Person, "token": f.Token, "purpose": f.Purpose, "role": f.Role, "provider": f.Provider, "model": f.Model} {
		if value != "" {
			where[name] = value
		}
	}
	return where
}

// InUsage asks what was used of models.
type InUsage struct {
	InRange
	InUsageFilter
	By      string `query:"by" enum:"org,group,project,person,token,purpose,role,provider,model" default:"model" doc:"what it is told apart by"`
	Compare bool   `query:"compare" doc:"also with the time before that is as long"`
}

// file is a download.
type file struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

// The places of which one asks, as paths name them; exported fields only, as huma
// wants them.
type (
	usageOfAll struct {
		InUsage
	}
	usageOfOrg struct {
		InOrg
		InUsage
	}
	usageOfProject struct {
		InProject
		InUsage
	}
	billOfAll struct {
		InUsageFilter
	}
	billOfOrg struct {
		InOrg
		InUsageFilter
	}
	billOfProject struct {
		InProject
		InUsageFilter
	}
)

// scopeOf tells what an actor may see of the place that a request names: of an
// organisation and of a project what they hold, of no place what is theirs.
type scopeOf func(ctx context.Context, a tenant.Actor, org int64, p project.ID) (usage.Scope, error)

func (s *server) registerUsage() {
	projectsOf := func(found []tenant.Project, err error) (usage.Scope, error) {
		return usage.Scope{Projects: idsOf(found)}, err
	}
	everything := func(ctx context.Context, _ tenant.Actor, _ int64, _ project.ID) (usage.Scope, error) {
		return projectsOf(s.tenants.AllProjects(ctx))
	}
	mine := func(ctx context.Context, a tenant.Actor, _ int64, _ project.ID) (usage.Scope, error) {
		scope, err := projectsOf(s.tenants.Projects(ctx, a))
		scope.Person = a.UserID
		return scope, err
	}
	ofOrg := func(ctx context.Context, _ tenant.Actor, org int64, _ project.ID) (usage.Scope, error) {
		return projectsOf(s.tenants.OrgProjects(ctx, org))
	}
	ofProject := func(_ context.Context, _ tenant.Actor, _ int64, p project.ID) (usage.Scope, error) {
		return usage.Scope{Projects: []project.ID{p}}, nil
	}
	atAll := func(in *usageOfAll) (*InUsage, int64, project.ID) { return &in.InUsage, 0, 0 }
	billAtAll := func(in *billOfAll) (*InUsageFilter, int64, project.ID) { return &in.InUsageFilter, 0, 0 }
	registerUsageOf(s, tenant.SystemAdmin, "/api/v1", "", everything, atAll)
	registerBillOf(s, tenant.SystemAdmin, "/api/v1", "", everything, billAtAll)
	registerUsageOf(s, tenant.SelfRead, "/api/v1/me", "my-", mine, atAll)
	registerBillOf(s, tenant.SelfRead, "/api/v1/me", "my-", mine, billAtAll)
	registerUsageOf(s, tenant.OrgAdmin, "/api/v1/orgs/{org}", "org-", ofOrg, func(in *usageOfOrg) (*InUsage, int64, project.ID) { return &in.InUsage, in.Org, 0 })
	registerBillOf(s, tenant.OrgAdmin, "/api/v1/orgs/{org}", "org-", ofOrg, func(in *billOfOrg) (*InUsageFilter, int64, project.ID) { return &in.InUsageFilter, in.InOrg.Org, 0 })
	registerUsageOf(s, tenant.ProjectRead, "/api/v1/projects/{project}", "project-", ofProject, func(in *usageOfProject) (*InUsage, int64, project.ID) { return &in.InUsage, 0, in.Project })
	registerBillOf(s, tenant.ProjectRead, "/api/v1/projects/{project}", "project-", ofProject, func(in *billOfProject) (*InUsageFilter, int64, project.ID) {
		return &in.InUsageFilter, 0, in.Project
	})
}

func idsOf(projects []tenant.Project) []project.ID {
	ids := make([]project.ID, len(projects))
	for i := range projects {
		ids[i] = projects[i].ID
	}
	return ids
}

// registerUsageOf registers what was used of models by a scope, as an answer and as
// a file.
func registerUsageOf[I any](s *server, act tenant.Action, path, prefix string, scopeOf scopeOf, read func(*I) (*InUsage, int64, project.ID)) {
	report := func(ctx context.Context, a tenant.Actor, in *I) (*usage.Report, error) {
		q, org, p := read(in)
		scope, err := scopeOf(ctx, a, org, p)
		if err != nil {
			return nil, err
		}
		from, to := q.between(s.now())
		r, err := s.opts.Usage.Report(ctx, scope, usage.Query{From: from, To: to, By: q.By, Where: q.where(), Before: q.Compare})
		if err != nil {
			return nil, err
		}
		return r, s.nameUsage(ctx, r)
	}
	register(s, act, get("get-"+prefix+"ai-usage", path+"/ai-usage", "What was used of models in a time range"),
		func(ctx context.Context, a tenant.Actor, in *I) (*result[*usage.Report], error) {
			return ok(report(ctx, a, in))
		})
	export := get("export-"+prefix+"ai-usage", path+"/ai-usage.csv", "The same as a table for spreadsheets")
	export.Responses = map[string]*huma.Response{"default": s.failure, "200": {Description: "CSV", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	register(s, act, export, func(ctx context.Context, a tenant.Actor, in *I) (*file, error) {
		r, err := report(ctx, a, in)
		if err != nil {
			return nil, err
		}
		return &file{"text/csv; charset=utf-8", fmt.Sprintf(`attachment; filename="matrix-ai-usage-by-%s-%s.csv"`, r.By, r.From.Format(time.DateOnly)), usageTable(r)}, nil
	})
}

// registerBillOf registers the estimate of what models cost a scope.
func registerBillOf[I any](s *server, act tenant.Action, path, prefix string, scopeOf scopeOf, read func(*I) (*InUsageFilter, int64, project.ID)) {
	register(s, act, get("get-"+prefix+"ai-bill", path+"/ai-bill", "An estimate of what models cost this month"),
		func(ctx context.Context, a tenant.Actor, in *I) (*result[*usage.Bill], error) {
			q, org, p := read(in)
			scope, err := scopeOf(ctx, a, org, p)
			if err != nil {
				return nil, err
			}
			return ok(s.opts.Usage.Bill(ctx, scope, q.where()))
		})
}

// nameUsage puts the names to what has a number. What a report is narrowed to is
// named only when something of it was used in what its reader may see: a number
// alone tells nobody a name.
func (s *server) nameUsage(ctx context.Context, r *usage.Report) error {
	var names []naming
	for i := range r.Rows {
		names = append(names, naming{r.By, r.Rows[i].Key, &r.Rows[i].Name})
	}
	if r.Total.Calls > 0 || r.Before != nil && r.Before.Calls > 0 {
		for i := range r.Where {
			names = append(names, naming{r.Where[i].By, r.Where[i].Key, &r.Where[i].Name})
		}
	}
	return s.nameSubjects(ctx, names)
}

// usageTable writes a report as RFC 4180 has it.
func usageTable(r *usage.Report) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	_ = w.Write([]string{r.By, "name", "from", "to", "calls", "failed", "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
		"cost_usd", "unpriced_calls", "unpriced_tokens", "latency_avg_ms", "latency_p95_ms"})
	for i := range r.Rows {
		row := &r.Rows[i]
		u := &row.Used
		cost := "" // not 0: it is not known
		if u.CostUSD != nil {
			cost = strconv.FormatFloat(*u.CostUSD, 'f', -1, 64)
		}
		_ = w.Write([]string{harmless(row.Key), harmless(row.Name), r.From.Format(time.RFC3339), r.To.Format(time.RFC3339), number(u.Calls), number(u.Failed), number(u.InputTokens),
			number(u.CachedTokens), number(u.CacheWriteTokens), number(u.OutputTokens), number(u.ReasoningTokens), cost, number(u.Unpriced), number(u.UnpricedTokens),
			strconv.FormatFloat(u.LatencyAvgMs, 'f', 1, 64), strconv.FormatFloat(u.LatencyP95Ms, 'f', 1, 64)})
	}
	w.Flush() // a bytes.Buffer takes everything
	return out.Bytes()
}

// harmless is a text that no spreadsheet takes for a formula.
func harmless(text string) string {
	if text != "" && strings.ContainsAny(text[:1], "=+-@\t\r\n") {
		return "'" + text
	}
	return text
}
