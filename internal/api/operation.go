package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// public is the action of the few operations that need nobody: sign in and
// out, health, version.
const public tenant.Action = ""

// answerWithin bounds what one request may cost.
const answerWithin = 30 * time.Second

// failureShape is the key in an operation's Metadata of a func(*Problem) huma.StatusError:
// how the operation says a problem where it keeps the conventions of another system.
const failureShape = "failure"

// register is the only way an operation comes into the API: it takes the action
// the caller must be allowed, on the target that the path names ({project},
// {org} or {group}), and asks tenant.Can before the request is looked at any
// further. An operation without authorisation cannot be written, nor one whose
// changes the audit log does not know.
func register[I, O any](s *server, act tenant.Action, op huma.Operation, handle func(ctx context.Context, a tenant.Actor, in *I) (*O, error)) {
	target := s.targetOf(act, op.Path)
	_, versioned := reflect.TypeFor[I]().FieldByName("IfMatch")
	shape := func(p *Problem) huma.StatusError { return p }
	if own, ok := op.Metadata[failureShape].(func(*Problem) huma.StatusError); ok {
		shape = own
	}
	op.Metadata = map[string]any{"action": act, auditedKey: changes(&op)}
	op.Extensions = map[string]any{"x-action": string(act)}
	if act != public {
		op.Security = []map[string][]string{{"session": {}}, {"token": {}}}
	}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{"default": s.failure}
	}
	op.Middlewares = append(op.Middlewares, func(hc huma.Context, next func(huma.Context)) {
		at := &admission{operation: op.OperationID, object: objectOf(hc, op.Path)}
		err := s.authorize(hc, op.OperationID, act, target, at)
		if err != nil {
			err = s.noteDenied(hc.Context(), &op, at, err)
			_, w := humago.Unwrap(hc)
			p := problem(hc.Context(), s.log, err, false)
			writeFailure(w, p.header, shape(p))
			return
		}
		next(huma.WithValue(hc, admissionKey{}, at))
	})
	veiled := veils(act, &op)
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		entry, err := s.beginChange(ctx, &op, in)
		if err != nil {
			return nil, shape(problem(ctx, s.log, err, false))
		}
		out, err := handle(ctx, callerOf(ctx).actor, in)
		s.endChange(ctx, entry, out, err)
		if err == nil && veiled {
			err = s.veil(ctx, &op, out)
		}
		if err != nil {
			return nil, shape(problem(ctx, s.log, err, versioned))
		}
		return out, nil
	})
}

// allowedOn is what the caller of an operation was allowed to do it to.
func allowedOn(ctx context.Context) tenant.Target {
	if at := admittedTo(ctx); at != nil {
		return at.on
	}
	return tenant.Target{}
}

// authorize checks who asks, and whether they may, and notes to what.
func (s *server) authorize(hc huma.Context, operation string, act tenant.Action, target func(huma.Context) (tenant.Target, error), at *admission) (err error) {
	if act == public {
		return nil
	}
	caller := callerOf(hc.Context())
	if caller.err != nil && (!errors.Is(caller.err, tenant.ErrSecondFactor) || !whileEnrolling[operation]) {
		return caller.err
	}
	if caller.actor.UserID == 0 { // before the path is read: a stranger learns nothing from it
		return s.tenants.Can(hc.Context(), caller.actor, act, at.on)
	}
	if at.on, err = target(hc); err != nil {
		return err
	}
	at.place, err = s.tenants.Allow(hc.Context(), caller.actor, act, at.on)
	return err
}

// targetOf returns how an action's target is read from the path. It panics when
// path does not name what the action is about: that is found at start, by
// every test.
func (s *server) targetOf(act tenant.Action, path string) func(huma.Context) (tenant.Target, error) {
	noun, _, _ := strings.Cut(string(act), ".")
	param := map[string]string{"project": "project", "org": "org", "group": "group"}[noun]
	if param == "" || act == tenant.ProjectList || act == tenant.OrgList {
		return func(huma.Context) (tenant.Target, error) { return tenant.Target{}, nil }
	}
	if act == tenant.ProjectAsk && !strings.Contains(path, "{project}") {
		return func(hc huma.Context) (tenant.Target, error) {
			id, err := s.tenants.ProjectFor(hc.Context(), callerOf(hc.Context()).actor, hc.Query("project"))
			return tenant.Target{Project: id}, err
		}
	}
	if !strings.Contains(path, "{"+param+"}") {
		panic("api: " + path + " needs {" + param + "} for the action " + string(act))
	}
	return func(hc huma.Context) (tenant.Target, error) {
		bits := 63
		if param == "project" {
			bits = 32
		}
		id, err := strconv.ParseUint(hc.Param(param), 10, bits)
		if err != nil || id == 0 {
			return tenant.Target{}, fault.New(fault.NotFound, "there is no such %s", param)
		}
		switch param {
		case "project":
			return tenant.Target{Project: project.ID(id)}, nil
		case "group":
			return tenant.Target{Group: int64(id)}, nil
		default:
			return tenant.Target{Org: int64(id)}, nil
		}
	}
}

// The parts of requests. They are exported because huma does not look into
// embedded types that are not.

// InProject names a project in the path.
type InProject struct {
	Project project.ID `path:"project" minimum:"1" doc:"project id"`
}

// InOrg names an organisation in the path.
type InOrg struct {
	Org int64 `path:"org" minimum:"1" doc:"organisation id"`
}

// InGroup names a group in the path.
type InGroup struct {
	Group int64 `path:"group" minimum:"1" doc:"group id"`
}

// InRange is the time range of a read.
type InRange struct {
	From time.Time `query:"from" doc:"at or after; default an hour before to"`
	To   time.Time `query:"to" doc:"before; default now"`
}

// defaultRange is how far back a read goes when the caller names no from.
const defaultRange = time.Hour

// between returns the two ends of the range.
func (r InRange) between(now time.Time) (from, to time.Time) {
	if to = r.To; to.IsZero() {
		to = now
	}
	if from = r.From; from.IsZero() {
		from = to.Add(-defaultRange)
	}
	return from, to
}

// InVersion is embedded by requests that edit something.
type InVersion struct {
	IfMatch string `header:"If-Match" doc:"the ETag of what was read"`
}

func (v InVersion) version() (int64, error) {
	if v.IfMatch == "" {
		return 0, errNoVersion
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(v.IfMatch, "W/"), `"v`), `"`), 10, 64)
	if err != nil {
		return 0, fault.New(fault.Conflict, "this is not an ETag of this resource: read it again").WithField("version")
	}
	return n, nil
}

type nothing struct{}

// result is one resource.
type result[T any] struct{ Body T }

func ok[T any](body T, err error) (*result[T], error) {
	if err != nil {
		return nil, err
	}
	return &result[T]{body}, nil
}

// edited is one resource with the version that an edit must name.
type edited[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

func versioned[T any](body T, version int64, err error) (*edited[T], error) {
	if err != nil {
		return nil, err
	}
	return &edited[T]{`"v` + strconv.FormatInt(version, 10) + `"`, body}, nil
}

// Page is a part of a list.
type Page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor" doc:"send it as cursor for the next page; empty on the last"`
	Total      int    `json:"total" doc:"items in the whole list"`
}

// all is a list that fits on one page.
func all[T any](items []T, err error) (*result[Page[T]], error) {
	return ok(Page[T]{Items: items, Total: len(items)}, err)
}

// done is the answer of operations that have nothing to say.
func done(err error) (*struct{}, error) { return nil, err }

func get(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary}
}

func post(id, path, summary string, status int) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, DefaultStatus: status}
}

func put(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodPut, Path: path, Summary: summary}
}

func del(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodDelete, Path: path, Summary: summary, DefaultStatus: http.StatusNoContent}
}
