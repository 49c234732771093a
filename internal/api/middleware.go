package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// maxBody bounds every request of the API; telemetry has its own ports.
const maxBody = 1 << 20

// contentPolicy lets the screens load only what this server serves. Styles may
// be inline because the component library writes them so.
const contentPolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
	"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// call is what the middleware knows about one request.
type call struct {
	id      string
	address string // the caller's, as far as it can be trusted
	secret  string // the session cookie, "" without
	actor   tenant.Actor
	err     error // why the credentials that were sent do not count
	request *http.Request
}

type callKey struct{}

func callerOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// Asking returns who sends a request to Options.Models.
func Asking(r *http.Request) (tenant.Actor, error) {
	c := callerOf(r.Context())
	return c.actor, c.err
}

func requestID(ctx context.Context) string { return callerOf(ctx).id }

// wrap puts what every request needs around next, outermost first: id and log,
// panic recovery, headers, size limit, cross-site protection, authentication.
func (s *server) wrap(next http.Handler) http.Handler {
	next = s.authenticate(next)
	next = s.crossSite(next)
	next = s.guard(next)
	next = s.recoverPanics(next)
	return s.logged(next)
}

// logged gives the request an id and writes the access log: no query, no
// headers, no bodies.
func (s *server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var random [8]byte
		_, _ = rand.Read(random[:]) // never fails
		c := &call{id: hex.EncodeToString(random[:]), address: s.address(r)}
		r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		c.request = r
		w.Header().Set("X-Request-Id", c.id)
		seen := &watched{ResponseWriter: w}
		began := time.Now()
		next.ServeHTTP(seen, r)
		attrs := []any{"request_id", c.id, "method", r.Method, "path", r.URL.Path, "status", seen.code(),
			"bytes", seen.bytes, "elapsed_ms", time.Since(began).Milliseconds(), "user_id", c.actor.UserID}
		if c.actor.Token != nil {
			attrs = append(attrs, "token_id", c.actor.Token.ID)
		}
		if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, modelPaths) || strings.HasPrefix(r.URL.Path, provisioningPaths) {
			s.log.InfoContext(r.Context(), "request", attrs...)
		} else {
			s.log.DebugContext(r.Context(), "request", attrs...) // screens and health checks
		}
	})
}

// watched remembers what was answered.
type watched struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (w *watched) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *watched) Write(p []byte) (int, error) {
	w.status = w.code()
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watched) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// recoverPanics turns a panic into an internal error of this one request.
func (s *server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if value == http.ErrAbortHandler { //nolint:errorlint // a panic value, never wrapped
				panic(value)
			}
			s.log.ErrorContext(r.Context(), "request panicked", "request_id", requestID(r.Context()), "stack", string(debug.Stack()))
			if seen, ok := w.(*watched); ok && seen.status != 0 {
				panic(http.ErrAbortHandler) // half an answer is out: cut the connection
			}
			writeProblem(w, problem(r.Context(), s.log, fmt.Errorf("panic: %v", value), false))
		}()
		next.ServeHTTP(w, r)
	})
}

// guard sets the headers every answer carries and bounds the body.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if s.secure(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, modelPaths) {
			h.Set("Cache-Control", "no-store")
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// crossSite refuses requests that another site's page made a browser send: the
// session cookie would go with them.
func (s *server) crossSite(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if s.origin != "" {
		if err := protection.AddTrustedOrigin(s.origin); err != nil {
			panic(err) // New has checked it
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, problem(r.Context(), s.log, fault.New(fault.Denied, "this request came from another site"), false))
	}))
	return protection.Handler(next)
}

// modelPaths is where clients of model services ask: with a token only, as a
// cookie would let other pages of the browser spend.
const modelPaths = "/v1/"

// provisioningPaths is where directories ask, with a token of their own: neither
// a cookie nor an API token counts there.
const provisioningPaths = "/scim/v2/"

// authenticate finds out who asks: an API token in Authorization (or, as
// Anthropic's clients send it, in X-Api-Key), or the session cookie. It refuses
// nobody: that is for the operation to do.
func (s *server) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := callerOf(r.Context())
		if cookie, err := r.Cookie(s.cookieName(r)); err == nil {
			c.secret = cookie.Value
		}
		models := strings.HasPrefix(r.URL.Path, modelPaths)
		header := r.Header.Get("Authorization")
		if key := r.Header.Get("X-Api-Key"); models && header == "" && key != "" {
			header = "Bearer " + key
		}
		switch {
		case !strings.HasPrefix(r.URL.Path, "/api/") && !models:
		case header != "":
			token, ok := strings.CutPrefix(header, "Bearer ")
			if !ok {
				c.err = fault.New(fault.Unauthenticated, "send an API token as Authorization: Bearer mtx_api_…")
				break
			}
			c.actor, c.err = s.tenants.AuthenticateToken(r.Context(), strings.TrimSpace(token))
		case c.secret != "" && !models:
			c.actor, c.err = s.tenants.AuthenticateSession(r.Context(), c.secret)
		}
		next.ServeHTTP(w, r)
	})
}

// address returns the caller's address. X-Forwarded-For counts only as far as
// trusted proxies wrote it: read from the right, the first that is none of them.
func (s *server) address(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	client := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(client); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		client = hop.Unmap()
	}
	return client.String()
}

func (s *server) trusts(address netip.Addr) bool {
	for _, proxy := range s.opts.TrustedProxies {
		if proxy.Contains(address) {
			return true
		}
	}
	return false
}
