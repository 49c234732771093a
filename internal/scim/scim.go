// Package scim is the edge at which directories (Okta, Entra ID) provision an
// organisation's people and groups: SCIM 2.0 (RFC 7643, RFC 7644) below
// /scim/v2/, as far as such directories ask for it.
//
// It owns the protocol: resources, filters, patches, errors. What a directory
// may do, and to whom, is tenant.Directory's to say: the token names the
// organisation, and nothing in a request can name another.
package scim

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// Root is where the handler is to be mounted.
const Root = "/scim/v2/"

// The schemas of RFC 7643 and RFC 7644.
const (
	schemaUser   = "urn:ietf:params:scim:schemas:core:2.0:User"
	schemaGroup  = "urn:ietf:params:scim:schemas:core:2.0:Group"
	schemaConfig = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	schemaType   = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaSchema = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	messageList  = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	messagePatch = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	messageError = "urn:ietf:params:scim:api:messages:2.0:Error"
)

const (
	mediaType     = "application/scim+json"
	pageDefault   = 100
	pageMax       = 200
	answerWithin  = 30 * time.Second
	maxOperations = 1000 // of one patch
)

// Options configure the handler. Tenants is required.
type Options struct {
	Tenants *tenant.Store
	Log     *slog.Logger
	// BaseURL is where directories reach MATRIX, e.g. https://matrix.example.com;
	// "" takes the address that they ask.
	BaseURL string
}

type server struct {
	tenants *tenant.Store
	log     *slog.Logger
	base    string
}

// New returns the handler of everything below Root.
func New(opts Options) (http.Handler, error) {
	if opts.Tenants == nil {
		return nil, errors.New("scim: Options.Tenants is required")
	}
	s := &server{
		tenants: opts.Tenants, base: strings.TrimSuffix(opts.BaseURL, "/"),
		log: cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "scim"),
	}
	mux := http.NewServeMux()
	for pattern, handle := range map[string]handler{
		"GET " + Root + "ServiceProviderConfig": s.config,
		"GET " + Root + "ResourceTypes":         s.types,
		"GET " + Root + "ResourceTypes/{id}":    s.oneType,
		"GET " + Root + "Schemas":               s.schemas,
		"GET " + Root + "Schemas/{id}":          s.oneSchema,
		"GET " + Root + "Users":                 s.listUsers,
		"POST " + Root + "Users":                s.createUser,
		"GET " + Root + "Users/{id}":            s.getUser,
		"PUT " + Root + "Users/{id}":            s.putUser,
		"PATCH " + Root + "Users/{id}":          s.patchUser,
		"DELETE " + Root + "Users/{id}":         s.deleteUser,
		"GET " + Root + "Groups":                s.listGroups,
		"POST " + Root + "Groups":               s.createGroup,
		"GET " + Root + "Groups/{id}":           s.getGroup,
		"PUT " + Root + "Groups/{id}":           s.putGroup,
		"PATCH " + Root + "Groups/{id}":         s.patchGroup,
		"DELETE " + Root + "Groups/{id}":        s.deleteGroup,
	} {
		mux.Handle(pattern, s.authorized(handle))
	}
	mux.Handle(Root, s.authorized(func(*call) (int, any, error) {
		return 0, nil, fault.New(fault.NotFound, "there is no such path, or it is not asked with this method")
	}))
	return mux, nil
}

// call is one request of a directory.
type call struct {
	context.Context
	*http.Request
	directory *tenant.Directory
	base      string // of all locations, with Root and without the last slash
}

// handler answers with a status and a body; no body is an empty answer.
type handler func(c *call) (status int, body any, err error)

// authorized asks for the token before anything else is looked at.
func (s *server) authorized(handle handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
		defer cancel()
		c := &call{Context: ctx, Request: r, base: s.location(r)}
		token, ok := bearer(r.Header.Get("Authorization"))
		var err error
		if !ok {
			err = fault.New(fault.Unauthenticated, "send the organisation's token as Authorization: Bearer mtx_scim_…")
		} else {
			c.directory, err = s.tenants.AuthenticateDirectory(ctx, token)
		}
		var status int
		var body any
		if err == nil {
			status, body, err = handle(c)
		}
		if err != nil {
			s.fail(ctx, w, err)
			return
		}
		s.write(w, status, body)
	})
}

// bearer reads the token; the scheme's name has no case (RFC 9110 section 11.1).
func bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

func (s *server) location(r *http.Request) string {
	base := s.base
	if base == "" {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		base = scheme + "://" + r.Host
	}
	return base + strings.TrimSuffix(Root, "/")
}

func (s *server) write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Cache-Control", "no-store")
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", mediaType)
	if r, ok := body.(interface{ location() string }); ok && status == http.StatusCreated {
		w.Header().Set("Location", r.location())
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller is gone when this fails
}

// refusal is an error as RFC 7644 section 3.12 wants it.
type refusal struct {
	Schemas []string `json:"schemas"`
	Status  string   `json:"status"`
	Type    string   `json:"scimType,omitempty"`
	Detail  string   `json:"detail"`
}

// badRequest is a fault of the caller's in one of the words of RFC 7644 table 9.
type badRequest struct{ kind, detail string }

// Error implements error.
func (b *badRequest) Error() string { return b.detail }

var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.Unauthenticated: http.StatusUnauthorized, fault.Denied: http.StatusForbidden,
	fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict, fault.TooLarge: http.StatusRequestEntityTooLarge,
	fault.RateLimited: http.StatusTooManyRequests, fault.Unsupported: http.StatusNotImplemented, fault.Unavailable: http.StatusServiceUnavailable,
}

func (s *server) fail(ctx context.Context, w http.ResponseWriter, err error) {
	out := refusal{Schemas: []string{messageError}}
	status := http.StatusBadRequest
	var bad *badRequest
	e := fault.As(err)
	switch {
	case errors.As(err, &bad):
		out.Type, out.Detail = bad.kind, bad.detail
	case e == nil || e.Kind == fault.Internal:
		status, out.Detail = http.StatusInternalServerError, "this is our fault: the server's log names the cause"
		s.log.ErrorContext(ctx, "request failed", "error", err.Error())
	default:
		status, out.Detail = statuses[e.Kind], e.Message
		switch {
		case e.Kind == fault.Conflict && (e.Field == "userName" || e.Field == "name"):
			out.Type = "uniqueness"
		case e.Kind == fault.Invalid:
			out.Type = "invalidValue"
		case e.Kind == fault.Unauthenticated:
			w.Header().Set("WWW-Authenticate", `Bearer realm="matrix"`)
		case e.Kind == fault.Unavailable:
			w.Header().Set("Retry-After", "1")
		}
	}
	out.Status = strconv.Itoa(status)
	s.write(w, status, out)
}

// read reads the body of a request into v. Attributes nobody here knows are no
// error: directories send what they have (RFC 7644 section 3.3).
func (c *call) read(v any) error {
	err := json.NewDecoder(c.Body).Decode(v)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return fault.New(fault.TooLarge, "the request is longer than %d bytes", large.Limit)
	case err != nil:
		return &badRequest{"invalidSyntax", "the body is not the JSON that is asked for"}
	}
	return nil
}

// id reads the resource that the path names; what is no number names none.
func (c *call) id() (int64, error) {
	id, err := strconv.ParseInt(c.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, fault.New(fault.NotFound, "%s does not exist", c.PathValue("id"))
	}
	return id, nil
}

// list is a page of resources (RFC 7644 section 3.4.2).
type list struct {
	Schemas   []string `json:"schemas"`
	Total     int      `json:"totalResults"`
	Start     int      `json:"startIndex"`
	PerPage   int      `json:"itemsPerPage"`
	Resources []any    `json:"Resources"`
}

func listOf[T any](items []T, total, start int) list {
	out := list{[]string{messageList}, total, start, len(items), make([]any, len(items))}
	for i, item := range items {
		out.Resources[i] = item
	}
	return out
}

// page reads startIndex, from 1, and count. Values out of range mean the nearest
// that is in it (RFC 7644 section 3.4.2.4).
func (c *call) page() (start, count int, err error) {
	start, count = 1, pageDefault
	for name, into := range map[string]*int{"startIndex": &start, "count": &count} {
		text := c.URL.Query().Get(name)
		if text == "" {
			continue
		}
		if *into, err = strconv.Atoi(text); err != nil {
			return 0, 0, &badRequest{"invalidValue", name + " is a number"}
		}
	}
	return max(1, start), min(max(0, count), pageMax), nil
}

// meta is what every resource says of itself.
type meta struct {
	Type     string     `json:"resourceType"`
	Created  *time.Time `json:"created,omitempty"`
	Modified *time.Time `json:"lastModified,omitempty"`
	Location string     `json:"location"`
}
