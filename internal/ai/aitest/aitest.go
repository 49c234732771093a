// Package aitest holds every ai.Provider to the promises of the interface,
// against a fake of the provider's own service.
package aitest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// Key is the key the provider under test is configured with, and the one its
// service accepts. No error may contain it.
const Key = "sk-conformance-0123456789abcdef"

// Service is the fake service, told what to do with the next request.
type Service interface {
	Answer(text string)   // a complete answer
	Truncate(text string) // an answer cut off at the token limit
	Decline()             // the model declines for its policy
	Fail(status int)      // an HTTP status with an error body that quotes the key
	Garbage()             // 200 with something that is not of the protocol
	Huge()                // an answer of many megabytes
	Hang()                // no answer
	RefuseSchemas()       // from now on 400 to any structured format
	Seen() []Seen         // the requests so far
	Faults() []string     // requests that were not well formed
}

// Seen is what the service understood of a request.
type Seen struct {
	Model       string
	Messages    []ai.Message
	Structured  bool // a JSON schema was sent as such
	Temperature *float64
	TopP        *float64
	MaxTokens   *int64
}

func request() ai.Request {
	return ai.Request{Model: "some-model", Messages: []ai.Message{{Role: "system", Text: "be brief"}, {Role: "user", Text: "질문 <b>\"x\"</b>"}}}
}

func structured() ai.Request {
	r := request()
	r.Format = &ai.Format{Type: "json_schema", Name: "answer", Schema: json.RawMessage(`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`)}
	return r
}

// Conformance runs the suite. start returns a provider configured with Key and
// the service it talks to, both fresh.
func Conformance(t *testing.T, start func(t *testing.T) (ai.Provider, Service)) {
	run := func(name string, fn func(t *testing.T, p ai.Provider, s Service)) {
		t.Run(name, func(t *testing.T) {
			p, s := start(t)
			fn(t, p, s)
			if faults := s.Faults(); len(faults) > 0 {
				t.Errorf("the service got requests that are not well formed: %v", faults)
			}
		})
	}
	run("the question arrives as it is and the answer comes back", func(t *testing.T, p ai.Provider, s Service) {
		s.Answer("답변 \"y\" <&>")
		response, err := p.Complete(t.Context(), request())
		if err != nil || response.Text != "답변 \"y\" <&>" || response.Requests != 1 || response.Usage.InputTokens <= 0 || response.Usage.OutputTokens <= 0 {
			t.Fatalf("response %+v, err %v", response, err)
		}
		seen := s.Seen()[0]
		if seen.Model != "some-model" || len(seen.Messages) != 2 || seen.Messages[1] != request().Messages[1] || seen.Messages[0] != request().Messages[0] {
			t.Errorf("seen %+v", seen)
		}
	})
	run("parameters are sent only when set", func(t *testing.T, p ai.Provider, s Service) {
		zero, half, limit := 0.0, 0.5, int64(100)
		s.Answer("a")
		s.Answer("b")
		mustComplete(t, p, request())
		r := request()
		r.Parameters = ai.Parameters{Temperature: &zero, TopP: &half, MaxTokens: &limit}
		mustComplete(t, p, r)
		first, second := s.Seen()[0], s.Seen()[1]
		if first.Temperature != nil || first.TopP != nil || first.MaxTokens != nil {
			t.Errorf("unset parameters were sent: %+v", first)
		}
		if second.Temperature == nil || *second.Temperature != 0 || second.TopP == nil || *second.TopP != 0.5 || second.MaxTokens == nil || *second.MaxTokens != 100 {
			t.Errorf("set parameters were not sent: %+v", second)
		}
	})
	run("a repair carries the whole conversation", func(t *testing.T, p ai.Provider, s Service) {
		s.Answer("better")
		r := request()
		r.Messages = append(r.Messages, ai.Message{Role: "assistant", Text: "bad"}, ai.Message{Role: "user", Text: "again"})
		mustComplete(t, p, r)
		if seen := s.Seen()[0].Messages; len(seen) != 4 || seen[2].Role != "assistant" || seen[3].Text != "again" {
			t.Errorf("seen %+v", seen)
		}
	})
	run("a JSON schema is sent as one", func(t *testing.T, p ai.Provider, s Service) {
		s.Answer(`{"a":"b"}`)
		mustComplete(t, p, structured())
		if !s.Seen()[0].Structured {
			t.Error("the schema was not sent")
		}
	})
	run("a service that refuses schemas is asked in words, and from then on at once", func(t *testing.T, p ai.Provider, s Service) {
		s.RefuseSchemas()
		s.Answer(`{"a":"b"}`)
		s.Answer(`{"a":"c"}`)
		for _, requests := range []int{2, 1} {
			if response, err := p.Complete(t.Context(), structured()); err != nil || response.Requests != requests {
				t.Errorf("%d requests were counted, want %d; err %v", response.Requests, requests, err)
			}
		}
		seen := s.Seen()
		last := seen[len(seen)-1]
		if len(seen) != 3 || last.Structured || !strings.Contains(last.Messages[0].Text, `"additionalProperties":false`) {
			t.Errorf("%d requests, the last %+v", len(seen), last)
		}
	})
	for status, kind := range map[int]fault.Kind{400: fault.Invalid, 401: fault.Unauthenticated, 403: fault.Denied, 404: fault.NotFound, 408: fault.Unavailable,
		422: fault.Invalid, 429: fault.RateLimited, 500: fault.Unavailable, 502: fault.Unavailable, 503: fault.Unavailable, 529: fault.Unavailable, 302: fault.Unavailable} {
		run("status "+itoa(status)+" is "+kind.String()+" and tried once", func(t *testing.T, p ai.Provider, s Service) {
			s.Fail(status)
			refused(t, p, request(), kind)
			if n := len(s.Seen()); n > 1 {
				t.Errorf("%d requests were made: the chain decides on retries, not the provider", n)
			}
		})
	}
	run("a cut off answer is an error that was paid for", func(t *testing.T, p ai.Provider, s Service) {
		s.Truncate(`{"a":`)
		paid(t, refused(t, p, structured(), fault.TooLarge))
	})
	run("a cut off answer in words is an error that was paid for", func(t *testing.T, p ai.Provider, s Service) {
		s.RefuseSchemas()
		s.Truncate(`{"a":`)
		response := refused(t, p, structured(), fault.TooLarge)
		if paid(t, response); response.Requests != 2 {
			t.Errorf("%d requests were counted", response.Requests)
		}
	})
	run("a declined answer is an error that was paid for", func(t *testing.T, p ai.Provider, s Service) {
		s.Decline()
		paid(t, refused(t, p, request(), fault.Unsupported))
	})
	run("an empty answer is an error that was paid for", func(t *testing.T, p ai.Provider, s Service) {
		s.Answer("")
		paid(t, refused(t, p, request(), fault.Unavailable))
	})
	run("an answer that is not of the protocol is an error", func(t *testing.T, p ai.Provider, s Service) {
		s.Garbage()
		refused(t, p, request(), fault.Unavailable)
	})
	run("an answer without end is cut off", func(t *testing.T, p ai.Provider, s Service) {
		s.Huge()
		refused(t, p, request(), fault.TooLarge)
	})
	run("a service that hangs is left when the time is up", func(t *testing.T, p ai.Provider, s Service) {
		s.Hang()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := p.Complete(ctx, request()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err %v", err)
		}
	})
}

func mustComplete(t *testing.T, p ai.Provider, r ai.Request) {
	t.Helper()
	if _, err := p.Complete(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// paid checks that what an unusable answer cost is told.
func paid(t *testing.T, r ai.Response) {
	t.Helper()
	if r.Usage.InputTokens <= 0 || r.Usage.OutputTokens <= 0 || r.Model == "" || r.Requests < 1 {
		t.Errorf("the answer cost %+v", r)
	}
}

func refused(t *testing.T, p ai.Provider, r ai.Request, kind fault.Kind) ai.Response {
	t.Helper()
	response, err := p.Complete(t.Context(), r)
	if !fault.Is(err, kind) || response.Text != "" {
		t.Fatalf("err %v (%v), want %v; text %q", err, fault.KindOf(err), kind, response.Text)
	}
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		if strings.Contains(cause.Error(), Key) || strings.Contains(cause.Error(), "질문") {
			t.Errorf("the error holds the key or the question: %v", cause)
		}
	}
	return response
}

func itoa(n int) string {
	data, _ := json.Marshal(n)
	return string(data)
}
