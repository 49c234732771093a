package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/audit"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// auditedKey is the key in an operation's Metadata that says whether each call of
// it is noted in the audit log.
const auditedKey = "audited"

// notChanges are the operations that are sent with POST and change nothing. What
// asks a model is among them: the log of calls says who asked, what and when.
var notChanges = []string{
	"prometheus-query-by-post", "prometheus-query-range-by-post", "prometheus-series-by-post", "prometheus-labels-by-post", "prometheus-format-query-by-post",
	"estimate-ai-experiment", "test-ai-masking",
	"look-up-invitation", "try-rule", "preview-channel",
	"run-role", "try-role", "try-org-role", "replay-ai-call",
}

// signsIn is the GET that is a change: a provider leads a browser there.
const signsIn = "finish-oidc-login"

// changes reports whether an operation is to change something: whatever is not a
// GET, unless it is listed above. Nobody can forget to say so.
func changes(op *huma.Operation) bool {
	return op.OperationID == signsIn || op.Method != http.MethodGet && op.Method != http.MethodHead && !slices.Contains(notChanges, op.OperationID)
}

// admission is what the caller of an operation was admitted to.
type admission struct {
	operation string
	on        tenant.Target
	place     tenant.Place
	object    string          // named by the path below the place
	veiled    json.RawMessage // the answer, where something in it is masked for the caller
	login     *providerLogin  // how it ended, of signsIn
}

// providerLogin is how a login at a provider ended, whose answer only leads on.
type providerLogin struct {
	session tenant.Session
	failure string // "" when it went well
}

type admissionKey struct{}

// admittedTo returns what the caller was admitted to, nil outside of an operation.
func admittedTo(ctx context.Context) *admission {
	a, _ := ctx.Value(admissionKey{}).(*admission)
	return a
}

// objectOf names what a path is about below an organisation, a group or a
// project: rule/12.
func objectOf(hc huma.Context, path string) string {
	var parts []string
	for _, segment := range strings.Split(path, "/") {
		name, ok := strings.CutPrefix(segment, "{")
		name = strings.TrimSuffix(name, "}")
		if ok && name != "project" && name != "org" && name != "group" {
			parts = append(parts, name+"/"+hc.Param(name))
		}
	}
	return short(strings.Join(parts, " "))
}

// auditEntry is an entry about one call, as far as it is known before.
func auditEntry(ctx context.Context, at *admission) *audit.Entry {
	c := callerOf(ctx)
	e := &audit.Entry{Kind: audit.KindChange, OrgID: at.place.Org, GroupID: at.place.Group, ProjectID: at.place.Project,
		Operation: at.operation, Object: at.object, Outcome: audit.Begun, RequestID: c.id,
		Actor: audit.Actor{Kind: audit.Nobody, UserID: c.actor.UserID, Name: c.actor.Name, Address: c.address}}
	if c.actor.UserID != 0 {
		e.Actor.Kind = audit.Person
	}
	if c.actor.Service {
		e.Actor.Kind = audit.Service
	}
	if c.actor.Token != nil {
		e.Actor.TokenID, e.Actor.Token = c.actor.Token.ID, c.actor.Token.Name
	}
	return e
}

// noteDenied notes that a change was refused to somebody who is signed in. What
// strangers try is not noted: they could fill the log.
func (s *server) noteDenied(ctx context.Context, op *huma.Operation, at *admission, denied error) error {
	if !changes(op) || callerOf(ctx).actor.UserID == 0 || !fault.Is(denied, fault.Denied) {
		return denied
	}
	e := auditEntry(ctx, at)
	e.Outcome, e.Problem = audit.Denied, fault.Denied.String()
	if err := s.opts.Audit.Write(ctx, e); err != nil {
		return err
	}
	return denied
}

// beginChange notes that a change is going to be made, before it is: when that
// cannot be stored, nothing is changed. Why not in the change's own transaction:
// ADR 19. It returns nil for what changes nothing.
func (s *server) beginChange(ctx context.Context, op *huma.Operation, in any) (*audit.Entry, error) {
	if !changes(op) {
		return nil, nil
	}
	body := reflect.Indirect(reflect.ValueOf(in)).FieldByName("Body")
	if callerOf(ctx).actor.UserID == 0 && !body.IsValid() && op.OperationID != signsIn {
		return nil, nil // a stranger who signs out
	}
	e := auditEntry(ctx, admittedTo(ctx))
	if body.IsValid() {
		e.Summary = summaryOf(body.Interface())
	}
	return e, s.opts.Audit.Write(ctx, e)
}

// endChange notes how a change ended.
func (s *server) endChange(ctx context.Context, e *audit.Entry, out any, failed error) {
	if e == nil {
		return
	}
	e.Outcome = audit.Done
	if failed != nil {
		e.Outcome, e.Problem = audit.Failed, problemKind(failed)
		if fault.Is(failed, fault.Denied) {
			e.Outcome = audit.Denied
		}
	} else if at := admittedTo(ctx); at != nil && at.login != nil {
		at.login.note(e)
	} else if answer := reflect.Indirect(reflect.ValueOf(out)); answer.Kind() == reflect.Struct {
		made(e, reflect.Indirect(answer.FieldByName("Body")))
	}
	s.opts.Audit.End(ctx, e)
}

// note says who has signed in, and what that changed of their account.
func (l *providerLogin) note(e *audit.Entry) {
	if l.failure != "" {
		e.Outcome, e.Problem = audit.Failed, l.failure
		return
	}
	made(e, reflect.ValueOf(l.session.User))
	if len(l.session.Changed) > 0 {
		e.Summary = map[string]string{"changed": short(strings.Join(l.session.Changed, "; "))}
	}
}

// noteShown notes, before it is answered, that the originals behind tokens are
// shown. What cannot be noted is not shown.
func (s *server) noteShown(ctx context.Context, data string) error {
	e := auditEntry(ctx, admittedTo(ctx))
	e.Kind, e.Outcome, e.Summary = audit.KindRead, audit.Done, map[string]string{"shown": data}
	return s.opts.Audit.Write(ctx, e)
}

// problemKind is the kind of an error as callers read it.
func problemKind(err error) string {
	if p, ok := err.(*Problem); ok { //nolint:errorlint // handlers return it as it is
		return p.Kind
	}
	return fault.KindOf(err).String()
}

// makes are the verbs of operations that answer with what they have made.
var makes = []string{"create", "import", "start", "copy"}

// made names what the change made, as its answer does, and who has signed in by it.
func made(e *audit.Entry, body reflect.Value) {
	if !body.IsValid() || body.Kind() != reflect.Struct {
		return
	}
	switch b := body.Interface().(type) {
	case tenant.Organisation:
		e.OrgID = b.ID
	case tenant.User:
		if e.Actor.UserID == 0 {
			e.Actor.Kind, e.Actor.UserID, e.Actor.Name = audit.Person, b.ID, b.Name
		}
	}
	id := body.FieldByName("ID")
	if verb, noun, _ := strings.Cut(e.Operation, "-"); slices.Contains(makes, verb) && id.IsValid() && e.Object == "" {
		e.Object = short(fmt.Sprintf("%s/%v", noun, id.Interface()))
	}
}

// said are the members of requests whose text is noted. Others are named only:
// what is new is no secret in the log because nobody thought of it.
var said = []string{"name", "email", "role", "role_id", "state", "status", "scopes", "permissions", "expires_at", "language", "kind", "label", "visibility",
	"show_sql", "show_personal", "show_prompts", "ends_at", "starts_at", "resolved_version", "severity", "assignee", "provider", "model"}

// summaryOf says what a request asked for. Numbers and truth values are no
// secrets; texts are noted of the members in said only.
func summaryOf(body any) map[string]string {
	text, err := json.Marshal(body)
	members := map[string]json.RawMessage{}
	if err != nil || json.Unmarshal(text, &members) != nil {
		return map[string]string{}
	}
	summary := make(map[string]string, len(members))
	for name, value := range members {
		if value = bytes.TrimSpace(value); slices.Contains(said, name) || harmlessJSON(value) {
			summary[name] = short(strings.Trim(string(value), `"`))
		} else {
			summary[name] = "…"
		}
	}
	return summary
}

// harmlessJSON reports whether a value holds no text, but names of members.
func harmlessJSON(value json.RawMessage) bool {
	switch {
	case len(value) == 0:
		return false
	case value[0] == '{':
		members := map[string]json.RawMessage{}
		if json.Unmarshal(value, &members) != nil {
			return false
		}
		for _, member := range members {
			if len(member) == 0 || member[0] == '"' || member[0] == '{' || member[0] == '[' {
				return false
			}
		}
		return len(members) < 20
	default:
		return value[0] != '"' && value[0] != '['
	}
}

// short is as much of a text as a summary holds.
func short(text string) string {
	const most = 200
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
