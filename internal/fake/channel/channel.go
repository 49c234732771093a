// Package channel is what the fakes of message services have in common: a
// server that records what it took and why it refused the rest, and fails,
// limits, hangs and loses answers as a test tells it. How a request looks, and
// how the service says no, each fake knows itself.
package channel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Patience is how long Expect waits.
const Patience = 20 * time.Second

// Message is one message as people see it.
type Message struct {
	To      string // the room, number or service it went to
	Subject string
	Text    string
	Links   []string
	Key     string // by which the service knows it again, "" when it has none
	Action  string // what was asked for, where there is more than one
	At      time.Time
}

// Answer is what a server says. A Body that is no string is said as JSON.
type Answer struct {
	Status int
	Header http.Header
	Body   any
}

// Service is what differs between services.
type Service struct {
	// Take reads a request and returns its message and the answer to it, or an
	// error and the answer that refuses it. A message without text and action is
	// answered and not recorded: a question.
	Take func(r *http.Request, body []byte) (Message, Answer, error)
	// Limited is the answer of a service that was called too often.
	Limited func(after time.Duration) Answer
	// Refused is its answer to what it will never take.
	Refused Answer
}

// Server is a service that runs in a test.
type Server struct {
	Gate
	http    *httptest.Server
	service Service
	turn    sync.Mutex // held by Take, one request at a time

	mu       sync.Mutex
	messages []Message
	refused  []string
	requests int
	scripted []scripted
	arrived  chan struct{} // closed and replaced at each message
}

type scripted struct {
	answer Answer
	accept bool // take the message all the same: the answer is lost, not the message
}

// New starts a server that ends with the test.
func New(t testing.TB, service Service) *Server {
	t.Helper()
	s := &Server{service: service, arrived: make(chan struct{})}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.Resume()
		s.http.CloseClientConnections()
		s.http.Close()
	})
	return s
}

// URL is where it is, without a slash at the end.
func (s *Server) URL() string { return s.http.URL }

// Fail makes the next n requests fail with status and a body that nobody wants to see.
func (s *Server) Fail(n, status int) {
	s.script(n, scripted{answer: Answer{Status: status, Body: "<html>internal details</html>"}})
}

// Limit makes the next n requests fail the way the service limits its callers.
func (s *Server) Limit(n int, after time.Duration) {
	s.script(n, scripted{answer: s.service.Limited(after)})
}

// Refuse makes the next n requests fail for good, the way the service says it.
func (s *Server) Refuse(n int) { s.script(n, scripted{answer: s.service.Refused}) }

// LoseAnswer makes the next request take its message and answer 500: what a
// sender sees when the connection breaks after the message got through.
func (s *Server) LoseAnswer() {
	s.script(1, scripted{answer: Answer{Status: http.StatusInternalServerError}, accept: true})
}

func (s *Server) script(n int, a scripted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.scripted = append(s.scripted, a)
	}
}

// Messages returns what was accepted so far, in order.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Refusals returns why requests were refused.
func (s *Server) Refusals() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refused)
}

// Requests is how often it was called, accepted or not.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Expect waits for a message whose subject and text hold all of the given words
// and returns it. It fails the test when none came in time.
func (s *Server) Expect(t testing.TB, words ...string) Message {
	t.Helper()
	deadline := time.After(Patience)
	for {
		s.mu.Lock()
		arrived, messages, refused := s.arrived, s.messages, s.refused
		s.mu.Unlock()
		for _, m := range messages {
			all := m.Subject + "\n" + m.Text
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, w) }) {
				return m
			}
		}
		select {
		case <-arrived:
		case <-deadline:
			t.Fatalf("no message with %q\naccepted: %q\nrefused: %q", words, messages, refused)
		}
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body) // first, so that a caller who gives up is noticed
	s.mu.Lock()
	s.requests++
	hung := s.Held()
	var next *scripted
	if len(s.scripted) > 0 && hung == nil {
		next, s.scripted = &s.scripted[0], s.scripted[1:]
	}
	s.mu.Unlock()
	if hung != nil {
		select {
		case <-hung:
		case <-r.Context().Done():
		}
	}
	if err != nil || r.Context().Err() != nil {
		return
	}
	if next != nil && !next.accept {
		next.answer.write(w)
		return
	}
	s.turn.Lock()
	message, answer, err := s.service.Take(r, body)
	s.turn.Unlock()
	s.mu.Lock()
	switch {
	case err != nil:
		s.refused = append(s.refused, err.Error())
	case message.Text != "" || message.Action != "":
		message.At = time.Now()
		s.messages = append(s.messages, message)
		close(s.arrived)
		s.arrived = make(chan struct{})
	}
	s.mu.Unlock()
	if next != nil {
		answer = next.answer
	}
	answer.write(w)
}

func (a Answer) write(w http.ResponseWriter) {
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	if text, ok := a.Body.(string); ok || a.Body == nil {
		w.WriteHeader(a.Status)
		_, _ = io.WriteString(w, text)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.Status)
	_ = json.NewEncoder(w).Encode(a.Body)
}

// RetryAfter is a header that asks for a pause.
func RetryAfter(after time.Duration) http.Header {
	return http.Header{"Retry-After": {fmt.Sprint(int(after.Seconds()))}}
}

// Strict decodes JSON that has no fields but those of into, and nothing behind it.
func Strict(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.More() {
		return fmt.Errorf("more than one value")
	}
	return nil
}

// Posted refuses what is no POST of JSON to path.
func Posted(r *http.Request, path string) error {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch {
	case r.Method != http.MethodPost:
		return fmt.Errorf("method %s", r.Method)
	case r.URL.Path != path:
		return fmt.Errorf("path %s", r.URL.Path)
	case !strings.EqualFold(strings.TrimSpace(kind), "application/json"):
		return fmt.Errorf("content type %q", kind)
	}
	return nil
}
