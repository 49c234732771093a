package wire_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/wire"
)

// endless answers with a body that has no end, and counts what is read of it.
type endless struct {
	status int
	read   int
}

func (e *endless) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: e.status, Header: http.Header{}, Body: io.NopCloser(e)}, nil
}

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func get(t *testing.T, base http.RoundTripper, x *wire.Exchange) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(x.With(t.Context()), http.MethodPost, "http://model.example.com/v1", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer of somebody else")
	r.Header.Set("X-Api-Key", "of somebody else")
	response, err := wire.Client(&http.Client{Transport: base}).Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	return string(data), err
}

func class(err error) ai.Class {
	var failed *ai.Failure
	if errors.As(err, &failed) {
		return failed.Class
	}
	return ""
}

func TestAResponseIsReadNoFurtherThanItsBound(t *testing.T) {
	f := func(status int, stream bool, bound int) {
		t.Helper()
		e, x := &endless{status: status}, &wire.Exchange{Stream: stream}
		if _, err := get(t, e, x); err != nil {
			t.Fatal(err)
		}
		if e.read < bound || e.read > bound+bound/2 || class(x.Ended(t.Context(), nil)) != ai.HugeAnswer || x.OK(nil) {
			t.Errorf("status %d: %d bytes were read, %v", status, e.read, x.Ended(t.Context(), nil))
		}
	}
	f(200, false, wire.MaxBody)
	f(500, true, wire.MaxBody) // an error is no stream
	f(200, true, 64<<20)
}

type answering func(*http.Request) (*http.Response, error)

func (f answering) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTheKeyOfTheExchangeIsTheOnlyOneSent(t *testing.T) {
	var sent http.Header
	base := answering(func(r *http.Request) (*http.Response, error) {
		sent = r.Header
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("ok"))}, nil
	})
	x := &wire.Exchange{Header: "Api-Key", Value: "mine"}
	if text, err := get(t, base, x); err != nil || text != "ok" || !x.OK(nil) {
		t.Fatalf("%q, %v", text, err)
	}
	if sent.Get("Api-Key") != "mine" || sent.Get("Authorization")+sent.Get("X-Api-Key") != "" {
		t.Errorf("sent %v", sent)
	}
	if _, err := wire.Client(nil).Get("http://127.0.0.1:1/"); err == nil {
		t.Error("a request outside of an exchange was sent")
	}
}

func TestWhyAnExchangeEndedGoesBeforeWhatTheClientMadeOfIt(t *testing.T) {
	refused := answering(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route for sk-key") })
	x := &wire.Exchange{}
	_, err := get(t, refused, x)
	if err == nil {
		t.Fatal("no error")
	}
	if ended := x.Ended(t.Context(), err); class(ended) != ai.Transport || strings.Contains(ended.Error(), "sk-key") {
		t.Errorf("%v", ended)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if ended := x.Ended(ctx, err); !errors.Is(ended, context.Canceled) {
		t.Errorf("%v", ended)
	}
	if ended := new(wire.Exchange).Ended(ctx, nil); ended != nil {
		t.Errorf("an exchange that went well: %v", ended)
	}
}

func TestAnIdOfACallIsKeptWhenTheServiceTakesIt(t *testing.T) {
	long := strings.Repeat("a", 41)
	for _, id := range []string{"", "a b", "gemini.c2ln.x", long, "한"} {
		got := wire.CallID(id, 40)
		if got == id || len(got) > 40 || got != wire.CallID(id, 40) {
			t.Errorf("%q is %q", id, got)
		}
	}
	for _, id := range []string{"call_1", "toolu_01-A", long[:40]} {
		if got := wire.CallID(id, 40); got != id {
			t.Errorf("%q is %q", id, got)
		}
	}
}
