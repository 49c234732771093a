// Package wire is what the providers have below their protocols: one HTTP
// exchange whose key is its own, whose response is bounded and whose end is
// known, the gathering of an answer that comes in pieces, and the classes of
// statuses. It knows no service: codes and shapes are the providers'.
package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// The bounds of a response, in bytes. A stream repeats its envelope for every
// few characters, so its bound is on the wire wider; that of its text is MaxBody.
const (
	MaxBody   = 1 << 20
	maxStream = 64 << 20
)

const maxIdle = 256 // connections to one service

const maxWait = 24 * time.Hour // that a service may ask for

// keyHeaders are all the headers that a key may travel in. None but the
// exchange's own is sent.
var keyHeaders = []string{"Authorization", "Api-Key", "X-Api-Key", "X-Goog-Api-Key"}

// Exchange is one request and what became of it. It is for one goroutine.
type Exchange struct {
	Header string // that carries the key
	Value  string // of that header; "" sends none
	Stream bool   // a stream of events is expected

	status  int
	headers http.Header
	failed  error // why the response could not be read to its end
}

type contextKey struct{}

// With returns a context in which the client of Client makes this exchange.
func (x *Exchange) With(ctx context.Context) context.Context {
	return context.WithValue(ctx, contextKey{}, x)
}

// CheckURL refuses a base URL that is no http(s) address, and returns it without
// the slash at its end.
func CheckURL(base string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fault.New(fault.Invalid, "the base URL of the model service is not an http(s) address").WithField("base_url")
	}
	return u, nil
}

// Client returns a client like base, nil for a plain one, that makes exchanges
// and follows no redirect: that would carry the prompt, and perhaps the key,
// elsewhere.
func Client(base *http.Client) *http.Client {
	client := &http.Client{}
	if base != nil {
		copied := *base
		client = &copied
	}
	if client.Transport == nil {
		// All requests go to one host, for which the default keeps two connections.
		if plain, ok := http.DefaultTransport.(*http.Transport); ok {
			own := plain.Clone()
			own.MaxIdleConns, own.MaxIdleConnsPerHost = 0, maxIdle
			client.Transport = own
		}
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport = transport{client.Transport}
	return client
}

type transport struct{ next http.RoundTripper }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	x, ok := r.Context().Value(contextKey{}).(*Exchange)
	if !ok {
		return nil, errors.New("a request outside of an exchange")
	}
	own := *r // the client above keeps its request
	own.Header = maps.Clone(r.Header)
	r = &own
	for _, name := range keyHeaders {
		r.Header.Del(name)
	}
	if x.Value != "" {
		r.Header.Set(x.Header, x.Value)
	}
	if err := x.pass(r); err != nil {
		x.failed = err
		return nil, err
	}
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	response, err := next.RoundTrip(r)
	if err != nil {
		x.failed = err
		return nil, err
	}
	x.status, x.headers = response.StatusCode, response.Header
	limit := int64(MaxBody)
	if x.Stream && response.StatusCode == http.StatusOK {
		limit = maxStream
	}
	response.Body = &body{next: response.Body, left: limit, exchange: x}
	return response, nil
}

// pass shows the gate of the request's context what is about to leave.
func (x *Exchange) pass(r *http.Request) error {
	gate := ai.GateOf(r.Context())
	if gate == nil || r.Body == nil {
		return nil
	}
	body := bytes.NewBuffer(make([]byte, 0, max(r.ContentLength, 0)+bytes.MinRead))
	_, err := body.ReadFrom(r.Body)
	sent := body.Bytes()
	if err = errors.Join(err, r.Body.Close()); err != nil {
		return err
	}
	if err := gate(sent); err != nil {
		return &ai.Failure{Class: ai.Unmasked, Message: "the request was not sent: " + gateSays(err)}
	}
	r.Body, r.GetBody = io.NopCloser(bytes.NewReader(sent)), nil
	return nil
}

// gateSays is what a gate says, which names a class and an offset only.
func gateSays(err error) string {
	if f := fault.As(err); f != nil {
		return f.Message
	}
	return "the gate refused it"
}

var errTooLarge = errors.New("the response is too large")

// body ends a response at its bound. To the client above every end is a plain
// one, because clients log and quote what they read; the exchange knows better.
type body struct {
	next     io.ReadCloser
	left     int64
	exchange *Exchange
}

func (b *body) Read(p []byte) (int, error) {
	if b.exchange.failed != nil {
		return 0, io.EOF
	}
	n, err := b.next.Read(p)
	b.left -= int64(n)
	switch {
	case b.left < 0:
		b.exchange.failed = errTooLarge
		return 0, io.EOF
	case err != nil && !errors.Is(err, io.EOF):
		b.exchange.failed = err
		return n, io.EOF
	}
	return n, err
}

func (b *body) Close() error { return b.next.Close() }

// Ended says why the exchange ended before the service had said all: nil when
// it did not. err is what the client made of it, which this goes before.
func (x *Exchange) Ended(ctx context.Context, err error) error {
	var refused *ai.Failure
	switch {
	case errors.As(x.failed, &refused):
		return refused
	case errors.Is(x.failed, errTooLarge):
		return TooLarge()
	case x.failed == nil && err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("ask model: %w", ctx.Err())
	case x.failed != nil && x.status == 0:
		return unreached(x.failed)
	case x.failed != nil:
		return ai.Fail(ai.Transport, "the model service broke off its answer")
	}
	return nil
}

// unreached says in words of ours why a service was not reached: an error of the
// network names addresses, and quotes what a proxy says.
func unreached(err error) *ai.Failure {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var timeout net.Error
	code, why := "", ""
	refused := fault.As(err)
	switch {
	case refused != nil && refused.Kind == fault.Denied: // by the client's own dialer
		code, why = "not_public", ": its address is not public, and the server's settings do not open it"
	case errors.As(err, &name) && !name.IsTimeout:
		code, why = "host_unknown", ": the name of its host is not known"
	case errors.As(err, &certificate):
		code, why = "tls", ": its certificate is not trusted, or is of another host"
	case errors.As(err, &record), errors.As(err, &alert):
		code, why = "tls", ": it does not speak TLS as expected; is it http instead of https?"
	case errors.Is(err, syscall.ECONNREFUSED):
		code, why = "refused", ": nothing listens at its address"
	case errors.As(err, &timeout) && timeout.Timeout():
		code, why = "timeout", ": its address does not answer"
	}
	f := ai.Fail(ai.Transport, "the model service cannot be reached%s", why)
	f.Code = code
	return f
}

// OK reports whether the exchange went well to its end, by what the client made
// of it too.
func (x *Exchange) OK(err error) bool { return err == nil && x.failed == nil && x.Answered() }

// Answered reports whether the service answered with anything but an error.
func (x *Exchange) Answered() bool { return x.status >= 200 && x.status < 300 }

// Unreadable is the failure of an answer that is not of the protocol.
func (x *Exchange) Unreadable() *ai.Failure {
	f := ai.Fail(ai.Transport, "the model service does not speak the protocol")
	f.Status = x.status
	return f
}

// TooLarge is the failure of an answer over the bound.
func TooLarge() *ai.Failure {
	return ai.Fail(ai.HugeAnswer, "the model service answered with more than %d bytes", MaxBody)
}

// Failure classifies an error of the service: by the first of its codes that is
// known, and else by the status, 0 for that of the response. A code that is not
// known is not passed on: it may quote the key or the request, in whatever
// field; nor is message, which only tells a request that is too long.
func (x *Exchange) Failure(status int, known map[string]ai.Class, message string, codes ...string) *ai.Failure {
	if status == 0 {
		status = x.status
	}
	f := &ai.Failure{Class: class(status), Status: status, RetryAfter: x.retryAfter()}
	if status == http.StatusOK { // told within an answer, in a stream too
		f.Class, f.Status = ai.Overloaded, 0
	}
	for _, code := range codes {
		if c, ok := known[code]; ok {
			f.Code, f.Class = code, c
			break
		}
	}
	if f.Class == ai.BadRequest || f.Class == ai.RateLimited {
		f.Class = reread(f.Class, message)
	}
	f.Message = messages[f.Class]
	return f
}

var messages = map[ai.Class]string{
	ai.Transport:     "the model service answered unexpectedly",
	ai.RateLimited:   "the model service is asked too often",
	ai.QuotaExceeded: "the account with the model service is spent",
	ai.Overloaded:    "the model service is failing",
	ai.TooLong:       "the request is longer than the model takes",
	ai.Refused:       "the model service refuses the request for its policy",
	ai.BadRequest:    "the model service refused the request",
	ai.BadKey:        "the model service does not accept the key",
	ai.NotAllowed:    "the model service denies access",
	ai.UnknownModel:  "the model service does not know the model or the path",
}

func class(status int) ai.Class {
	switch {
	case status == http.StatusUnauthorized:
		return ai.BadKey
	case status == http.StatusPaymentRequired:
		return ai.QuotaExceeded
	case status == http.StatusForbidden:
		return ai.NotAllowed
	case status == http.StatusNotFound:
		return ai.UnknownModel
	case status == http.StatusRequestEntityTooLarge:
		return ai.TooLong
	case status == http.StatusTooManyRequests:
		return ai.RateLimited
	case status == http.StatusRequestTimeout || status >= 500 || status == 499:
		return ai.Overloaded
	case status >= 400:
		return ai.BadRequest
	}
	return ai.Transport
}

// phrases are how services tell what they have no code for. They have been the
// same for years; that of OpenAI comes as a rate limit which no waiting lifts.
var phrases = []struct {
	words string
	from  ai.Class
	to    ai.Class
}{
	{"prompt is too long", ai.BadRequest, ai.TooLong},                  // Anthropic
	{"exceed context limit", ai.BadRequest, ai.TooLong},                // Anthropic
	{"credit balance is too low", ai.BadRequest, ai.QuotaExceeded},     // Anthropic
	{"content filtering policy", ai.BadRequest, ai.Refused},            // Anthropic
	{"exceeds the maximum number of token", ai.BadRequest, ai.TooLong}, // Gemini
	{"maximum context length", ai.BadRequest, ai.TooLong},              // vLLM
	{"maximum model length", ai.BadRequest, ai.TooLong},                // vLLM
	{"exceeds the available context size", ai.BadRequest, ai.TooLong},  // llama.cpp, Ollama
	{"input is too long", ai.BadRequest, ai.TooLong},                   // Bedrock, behind a gateway
	{"contextwindowexceeded", ai.BadRequest, ai.TooLong},               // LiteLLM
	{"contentpolicyviolation", ai.BadRequest, ai.Refused},              // LiteLLM
	{"request too large", ai.RateLimited, ai.TooLong},                  // OpenAI
}

// reread is the class that the message tells where the code does not.
func reread(class ai.Class, message string) ai.Class {
	message = strings.ToLower(message)
	for _, p := range phrases {
		if p.from == class && strings.Contains(message, p.words) {
			return p.to
		}
	}
	return class
}

// retryAfter is how long the service asks to wait: in milliseconds, in seconds
// or up to a date.
func (x *Exchange) retryAfter() time.Duration {
	if ms, err := strconv.ParseFloat(x.headers.Get("Retry-After-Ms"), 64); err == nil {
		return Wait(ms / 1000)
	}
	text := x.headers.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return Wait(seconds)
	}
	if at, err := http.ParseTime(text); err == nil {
		return Wait(time.Until(at).Seconds())
	}
	return 0
}

// Wait is a duration within reason out of seconds that a service names.
func Wait(seconds float64) time.Duration {
	if !(seconds > 0) { // NaN too
		return 0
	}
	return time.Duration(min(seconds, maxWait.Seconds()) * float64(time.Second))
}
