// Package webhook is a receiver of MATRIX webhooks that runs in a test. It
// does what docs/user/en/notifications.md asks of a receiver: it verifies the
// signature, drops what it has seen, and records the rest.
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fake/channel"
)

// Patience is how long Expect waits.
const Patience = 20 * time.Second

// tolerance is how old a signature may be.
const tolerance = 5 * time.Minute

// Server is the receiver.
type Server struct {
	channel.Gate
	http   *httptest.Server
	secret string

	mu       sync.Mutex
	events   []Event
	seen     []string // the key of every request that was verified, repeats included
	refused  []string
	scripted []scripted
	arrived  chan struct{}
}

// Event is one message, counted once however often it was sent.
type Event struct {
	ID      string          `json:"id"`
	Event   string          `json:"event"`
	Project uint32          `json:"project_id"`
	Ref     string          `json:"ref"`
	Subject string          `json:"subject"`
	Text    string          `json:"text"`
	Link    string          `json:"link"`
	Data    json.RawMessage `json:"data"`
}

type scripted struct {
	status int
	header http.Header
	accept bool
}

// New starts a receiver that ends with the test.
func New(t testing.TB, secret string) *Server {
	t.Helper()
	s := &Server{secret: secret, arrived: make(chan struct{})}
	s.http = httptest.NewServer(http.HandlerFunc(s.receive))
	t.Cleanup(func() {
		s.Resume()
		s.http.CloseClientConnections()
		s.http.Close()
	})
	return s
}

// URL is its address.
func (s *Server) URL() string { return s.http.URL + "/matrix" }

// Config is the configuration of a target that sends here.
func (s *Server) Config() json.RawMessage {
	raw, _ := json.Marshal(map[string]string{"url": s.URL(), "secret": s.secret})
	return raw
}

// Answer makes the next n requests fail with status and header (nil for none).
func (s *Server) Answer(n, status int, header http.Header) {
	s.script(n, scripted{status: status, header: header})
}

// LoseAnswer makes the next request take its message and answer 500: what a
// sender sees when the connection breaks after the message got through.
func (s *Server) LoseAnswer() { s.script(1, scripted{status: 500, accept: true}) }

func (s *Server) script(n int, a scripted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.scripted = append(s.scripted, a)
	}
}

// Events returns the messages received so far, each once.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Keys returns the idempotency key of every verified request, repeats included.
func (s *Server) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Refused returns why requests were refused.
func (s *Server) Refused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refused)
}

// Expect waits for a message whose text holds all of the given words and
// returns it. It fails the test when none came in time.
func (s *Server) Expect(t testing.TB, words ...string) Event {
	t.Helper()
	deadline := time.After(Patience)
	for {
		s.mu.Lock()
		arrived, events, refused := s.arrived, s.events, s.refused
		s.mu.Unlock()
		for _, e := range events {
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(e.Text, w) }) {
				return e
			}
		}
		select {
		case <-arrived:
		case <-deadline:
			t.Fatalf("the webhook got no message with %q\nreceived: %v\nrefused: %q", words, events, refused)
		}
	}
}

func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	hung := s.Held()
	s.mu.Unlock()
	if hung != nil {
		select {
		case <-hung:
		case <-r.Context().Done():
		}
		if r.Context().Err() != nil {
			return
		}
	}
	event, err := s.verify(r, body)
	if err != nil {
		s.mu.Lock()
		s.refused = append(s.refused, err.Error())
		s.mu.Unlock()
		http.Error(w, "refused", http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var answer scripted
	if len(s.scripted) > 0 {
		answer, s.scripted = s.scripted[0], s.scripted[1:]
	}
	repeated := slices.Contains(s.seen, event.ID)
	s.seen = append(s.seen, event.ID)
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	if answer.status != 0 && !answer.accept {
		s.seen = s.seen[:len(s.seen)-1] // refused: not seen
		w.WriteHeader(answer.status)
		return
	}
	if !repeated {
		s.events = append(s.events, event)
		close(s.arrived)
		s.arrived = make(chan struct{})
	}
	if answer.status != 0 {
		w.WriteHeader(answer.status)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// verify checks method, type, signature, its age, and that headers and body agree.
func (s *Server) verify(r *http.Request, body []byte) (Event, error) {
	var event Event
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		return event, fmt.Errorf("%s with %q", r.Method, r.Header.Get("Content-Type"))
	}
	stamp, given, ok := strings.Cut(strings.TrimPrefix(r.Header.Get("X-Matrix-Signature"), "t="), ",v1=")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if !ok || err != nil {
		return event, fmt.Errorf("signature header %q", r.Header.Get("X-Matrix-Signature"))
	}
	if age := time.Since(time.Unix(seconds, 0)); age.Abs() > tolerance {
		return event, fmt.Errorf("signature is %s old", age)
	}
	mac := hmac.New(sha256.New, []byte(s.secret))
	fmt.Fprintf(mac, "%s.%s", stamp, body)
	if want := hex.EncodeToString(mac.Sum(nil)); !hmac.Equal([]byte(want), []byte(given)) {
		return event, fmt.Errorf("signature does not match")
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return event, err
	}
	if event.ID == "" || event.ID != r.Header.Get("Idempotency-Key") || event.Event != r.Header.Get("X-Matrix-Event") {
		return event, fmt.Errorf("headers and body do not agree: %q %q", event.ID, event.Event)
	}
	return event, nil
}
