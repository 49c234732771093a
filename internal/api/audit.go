package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/matrix-aiops/matrix/internal/audit"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InAuditFilter selects entries of the audit log. Without from it reads as far
// back as there are entries.
type InAuditFilter struct {
	InRange
	Actor     string `query:"actor" maxLength:"200" doc:"a part of the name of the account or token, or of the address"`
	User      int64  `query:"user" minimum:"0" doc:"number of an account"`
	Operation string `query:"operation" maxLength:"100" doc:"a part of the operation id"`
	Project   uint32 `query:"project" minimum:"0" doc:"of this project only"`
	Object    string `query:"object" maxLength:"200" doc:"a part, such as rule/12"`
	Kind      string `query:"kind" enum:"change,read"`
	Outcome   string `query:"outcome" enum:"begun,done,denied,failed"`
}

func (in *InAuditFilter) query(org int64) audit.Query {
	return audit.Query{Org: org, Project: project.ID(in.Project), UserID: in.User, Actor: in.Actor, Operation: in.Operation,
		Object: in.Object, Kind: in.Kind, Outcome: in.Outcome, From: in.From, To: in.To}
}

// InAudit asks for a page of the audit log.
type InAudit struct {
	InAuditFilter
	Cursor string `query:"cursor" maxLength:"64" pattern:"^[0-9a-f]*$"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// InAuditFile asks for the audit log as a file.
type InAuditFile struct {
	InAuditFilter
	Format string `query:"format" enum:"csv,ndjson" default:"csv" doc:"a table for spreadsheets, or one JSON object a line"`
}

func (s *server) registerAudit() {
	register(s, tenant.SystemAdmin, get("list-audit", "/api/v1/audit", "Who did what in the whole installation, newest first"),
		func(ctx context.Context, _ tenant.Actor, in *InAudit) (*result[*audit.Page], error) {
			return ok(s.opts.Audit.List(ctx, in.query(0), in.Cursor, in.Limit))
		})
	register(s, tenant.OrgAudit, get("list-org-audit", "/api/v1/orgs/{org}/audit", "Who did what in an organisation, newest first"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InOrg
			InAudit
		}) (*result[*audit.Page], error) {
			return ok(s.opts.Audit.List(ctx, in.query(in.Org), in.Cursor, in.Limit))
		})
	register(s, tenant.SystemAdmin, s.auditFile(get("export-audit", "/api/v1/audit/export", "The audit log of the installation as a file")),
		func(_ context.Context, _ tenant.Actor, in *InAuditFile) (*huma.StreamResponse, error) {
			return s.exportAudit(in.query(0), in.Format), nil
		})
	register(s, tenant.OrgAudit, s.auditFile(get("export-org-audit", "/api/v1/orgs/{org}/audit/export", "The audit log of an organisation as a file")),
		func(_ context.Context, _ tenant.Actor, in *struct {
			InOrg
			InAuditFile
		}) (*huma.StreamResponse, error) {
			return s.exportAudit(in.query(in.Org), in.Format), nil
		})
}

func (s *server) auditFile(op huma.Operation) huma.Operation {
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	op.Responses = map[string]*huma.Response{"default": s.failure, "200": {Description: "The entries, newest first",
		Content: map[string]*huma.MediaType{"text/csv": text, "application/x-ndjson": text}}}
	return op
}

// exportAudit streams the selected entries. A stream that breaks off has no end:
// the connection is cut, so that nobody takes a half for the whole.
func (s *server) exportAudit(q audit.Query, format string) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		control := http.NewResponseController(w)
		contentType, write, flush := ndjsonOf(w)
		if format == "csv" {
			contentType, write, flush = csvOf(w)
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="matrix-audit-%s.%s"`, s.now().UTC().Format(time.DateOnly), format))
		written := 0
		err := s.opts.Audit.Each(hc.Context(), q, func(e *audit.Entry) error {
			if written++; written%500 == 1 {
				_ = control.SetWriteDeadline(time.Now().Add(answerWithin)) // of a recorder in tests: none
			}
			return write(e)
		})
		if err == nil {
			err = flush()
		}
		if err != nil {
			s.log.WarnContext(hc.Context(), "an export of the audit log broke off", "request_id", requestID(hc.Context()), "error", err.Error())
			panic(http.ErrAbortHandler)
		}
	}}
}

func ndjsonOf(w io.Writer) (contentType string, write func(*audit.Entry) error, flush func() error) {
	out := json.NewEncoder(w)
	return "application/x-ndjson", func(e *audit.Entry) error { return out.Encode(e) }, func() error { return nil }
}

func csvOf(w io.Writer) (contentType string, write func(*audit.Entry) error, flush func() error) {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write([]string{"at", "last_at", "times", "kind", "outcome", "problem", "actor_kind", "user_id", "actor", "token_id", "token", "address",
		"operation", "object", "org_id", "group_id", "project_id", "summary", "request_id", "id"}) // what fails here fails in Flush as well
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	write = func(e *audit.Entry) error {
		row := []string{e.At.Format(time.RFC3339Nano), e.LastAt.Format(time.RFC3339Nano), number(e.Times), e.Kind, e.Outcome, e.Problem, e.Actor.Kind,
			number(e.Actor.UserID), e.Actor.Name, number(e.Actor.TokenID), e.Actor.Token, e.Actor.Address, e.Operation, e.Object,
			number(e.OrgID), number(e.GroupID), number(int64(e.ProjectID)), summaryText(e.Summary), e.RequestID, e.ID}
		for i := range row {
			row[i] = harmless(row[i])
		}
		return out.Write(row)
	}
	return "text/csv; charset=utf-8", write, func() error { out.Flush(); return out.Error() }
}

// summaryText is a summary in one line.
func summaryText(summary map[string]string) string {
	parts := make([]string, 0, len(summary))
	for name, value := range summary {
		parts = append(parts, name+"="+value)
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}
