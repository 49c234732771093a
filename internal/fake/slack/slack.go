// Package slack is a Slack that runs in a test: incoming webhooks,
// chat.postMessage with threads and chat.update, with the checks and limits of the real one and its ways to
// fail. What a test wants to see, it says with Expect.
package slack

import (
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

	"github.com/matrix-aiops/matrix/internal/fake/channel"
)

// Token is the bot token that chat.postMessage accepts.
const Token = "xoxb-0000-fake"

// Room is the id of the channel that a bot's messages go to, whatever they call it.
const Room = "C0123ABCD"

// Patience is how long Expect waits.
const Patience = 20 * time.Second

const webhookPath = "/services/T00000000/B00000000/fake"

// Server is the fake. It records every message it accepted.
type Server struct {
	channel.Gate
	http *httptest.Server

	mu       sync.Mutex
	messages []Message
	refused  []string
	requests int
	scripted []scripted
	arrived  chan struct{} // closed and replaced at each message
}

// Message is one message as people see it.
type Message struct {
	Channel string // "" through a webhook
	Header  string
	Text    string // all blocks, without markup
	Buttons []Button
	// Mentions are the people or groups it would wake: <!channel>, <@U1>.
	Mentions []string
	At       time.Time
	Stamp    string // its ts, "" through a webhook
	Thread   string // the ts of the message it answers, "" for one of its own
	Edits    int    // how often it was changed
}

// Button is a link button.
type Button struct{ Text, URL string }

// scripted is an answer prepared by Fail.
type scripted struct {
	status     int
	body       string
	retryAfter time.Duration
	accept     bool // take the message all the same: the answer is lost, not the message
}

// New starts a fake that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{arrived: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+webhookPath, s.webhook)
	mux.HandleFunc("POST /api/chat.postMessage", s.postMessage)
	mux.HandleFunc("POST /api/chat.update", s.update)
	s.http = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.Resume()
		s.http.CloseClientConnections()
		s.http.Close()
	})
	return s
}

// WebhookURL is the address of its incoming webhook.
func (s *Server) WebhookURL() string { return s.http.URL + webhookPath }

// APIURL is where its Web API is, with a slash at the end.
func (s *Server) APIURL() string { return s.http.URL + "/api/" }

// Fail makes the next n requests fail with status.
func (s *Server) Fail(n, status int, body string) { s.script(n, scripted{status: status, body: body}) }

// Limit makes the next n requests fail with 429 and Retry-After, in whole seconds.
func (s *Server) Limit(n int, after time.Duration) {
	s.script(n, scripted{status: http.StatusTooManyRequests, body: "rate_limited", retryAfter: after})
}

// LoseAnswer makes the next request store its message and answer 500: what a
// sender sees when the connection breaks after the message got through.
func (s *Server) LoseAnswer() { s.script(1, scripted{status: 500, accept: true}) }

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
	return append([]Message(nil), s.messages...)
}

// Requests is how often it was called, accepted or not.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Expect waits for a message whose text holds all of the given words and
// returns it. It fails the test when none came in time.
func (s *Server) Expect(t testing.TB, words ...string) Message {
	t.Helper()
	deadline := time.After(Patience)
	for {
		s.mu.Lock()
		arrived, messages, refused := s.arrived, s.messages, s.refused
		s.mu.Unlock()
		for _, m := range messages {
			if holds(m.Header+"\n"+m.Text, words) {
				return m
			}
		}
		select {
		case <-arrived:
		case <-deadline:
			t.Fatalf("Slack got no message with %q\naccepted: %+v\nrefused: %q", words, messages, refused)
		}
	}
}

func holds(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// begin counts the request, waits while hanging and returns a scripted answer.
func (s *Server) begin(r *http.Request) (scripted, bool) {
	s.mu.Lock()
	s.requests++
	hung := s.Held()
	var answer scripted
	found := len(s.scripted) > 0 && hung == nil
	if found {
		answer, s.scripted = s.scripted[0], s.scripted[1:]
	}
	s.mu.Unlock()
	if hung != nil {
		select {
		case <-hung:
		case <-r.Context().Done():
		}
	}
	return answer, found
}

func (a scripted) write(w http.ResponseWriter) {
	if a.retryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(a.retryAfter.Seconds())))
	}
	http.Error(w, a.body, a.status)
}

// webhook answers like hooks.slack.com: plain text, "ok" or a code.
func (s *Server) webhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body) // first, so that a caller who gives up is noticed
	answer, found := s.begin(r)
	if found && !answer.accept {
		answer.write(w)
		return
	}
	if err != nil || r.Context().Err() != nil {
		return
	}
	message, err := decodeWebhook(r.Header.Get("Content-Type"), body)
	if err != nil {
		s.refuse(err)
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	s.accept(message)
	if found {
		answer.write(w)
		return
	}
	fmt.Fprint(w, "ok")
}

// postMessage answers like the Web API: 200 and {"ok": false} for its own errors.
func (s *Server) postMessage(w http.ResponseWriter, r *http.Request) {
	parseErr := r.ParseForm()
	answer, found := s.begin(r)
	if found && !answer.accept {
		answer.write(w)
		return
	}
	if r.Context().Err() != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	say := func(v map[string]any) { _ = json.NewEncoder(w).Encode(v) }
	switch {
	case parseErr != nil:
		say(map[string]any{"ok": false, "error": "invalid_form_data"})
		return
	case r.PostForm.Get("token") != Token:
		say(map[string]any{"ok": false, "error": "invalid_auth"})
		return
	case r.PostForm.Get("channel") == "":
		say(map[string]any{"ok": false, "error": "channel_not_found"})
		return
	}
	message, err := decodeBlocks(r.PostForm.Get("text"), []byte(r.PostForm.Get("blocks")))
	if err != nil {
		s.refuse(err)
		say(map[string]any{"ok": false, "error": "invalid_blocks"})
		return
	}
	message.Channel = r.PostForm.Get("channel")
	if message.Thread = r.PostForm.Get("thread_ts"); message.Thread != "" && s.find(message.Thread) < 0 {
		say(map[string]any{"ok": false, "error": "thread_not_found"})
		return
	}
	s.mu.Lock()
	message.Stamp = fmt.Sprintf("1764400000.%06d", len(s.messages)+1)
	s.mu.Unlock()
	s.accept(message)
	if found {
		answer.write(w)
		return
	}
	say(map[string]any{"ok": true, "channel": Room, "ts": message.Stamp, "message": map[string]any{}})
}

// update changes a message that was posted. Like the real one, it knows its
// channel by id only.
func (s *Server) update(w http.ResponseWriter, r *http.Request) {
	parseErr := r.ParseForm()
	answer, found := s.begin(r)
	if found && !answer.accept {
		answer.write(w)
		return
	}
	if r.Context().Err() != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	say := func(v map[string]any) { _ = json.NewEncoder(w).Encode(v) }
	at := s.find(r.PostForm.Get("ts"))
	switch {
	case parseErr != nil:
		say(map[string]any{"ok": false, "error": "invalid_form_data"})
		return
	case r.PostForm.Get("token") != Token:
		say(map[string]any{"ok": false, "error": "invalid_auth"})
		return
	case r.PostForm.Get("channel") != Room:
		say(map[string]any{"ok": false, "error": "channel_not_found"})
		return
	case at < 0:
		say(map[string]any{"ok": false, "error": "message_not_found"})
		return
	}
	message, err := decodeBlocks(r.PostForm.Get("text"), []byte(r.PostForm.Get("blocks")))
	if err != nil {
		s.refuse(err)
		say(map[string]any{"ok": false, "error": "invalid_blocks"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := &s.messages[at]
	old.Header, old.Text, old.Buttons, old.Mentions, old.Edits = message.Header, message.Text, message.Buttons, message.Mentions, old.Edits+1
	say(map[string]any{"ok": true, "channel": Room, "ts": old.Stamp, "text": "", "message": map[string]any{}})
}

// Forget deletes every message, as people can.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = nil
}

// find returns where the message with the ts is, or -1.
func (s *Server) find(stamp string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.IndexFunc(s.messages, func(m Message) bool { return stamp != "" && m.Stamp == stamp })
}

func (s *Server) accept(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.At = time.Now()
	s.messages = append(s.messages, m)
	close(s.arrived)
	s.arrived = make(chan struct{})
}

func (s *Server) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, err.Error())
}
