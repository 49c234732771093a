package webhook_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	fake "github.com/matrix-aiops/matrix/internal/fake/webhook"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/webhook"
)

const secret = "whsec-0123456789abcdef"

var dev = notify.Guard{Dev: true}

func channel() *webhook.Channel {
	return webhook.New(webhook.Options{Client: notify.NewClient(dev), Guard: dev})
}

var message = notify.Message{
	Project: 7, Key: "incident/12/report/to/3", Kind: "incident.report", Ref: "incident/12",
	Subject: "SlowSQL 알람", Text: "[요약]\n한 줄", Link: "https://matrix.example.com/projects/7/incidents/12",
	Data: map[string]any{"incident_id": int64(12)},
}

func TestAReceiverCanVerifyWhatItGets(t *testing.T) {
	receiver := fake.New(t, secret)
	if err := channel().Send(t.Context(), receiver.Config(), message); err != nil {
		t.Fatal(err, receiver.Refused())
	}
	got := receiver.Expect(t, "[요약]")
	if got.ID != message.Key || got.Event != message.Kind || got.Project != 7 || got.Ref != message.Ref ||
		got.Subject != message.Subject || got.Text != message.Text || got.Link != message.Link ||
		string(got.Data) != `{"incident_id":12}` {
		t.Fatalf("received %+v", got)
	}
}

func TestAWrongSecretIsRefusedForGood(t *testing.T) {
	receiver := fake.New(t, secret)
	config := json.RawMessage(strings.Replace(string(receiver.Config()), secret, "whsec-of-somebody-else", 1))
	if err := channel().Send(t.Context(), config, message); !fault.Is(err, fault.Invalid) {
		t.Fatalf("error %v", err)
	}
	if len(receiver.Events()) != 0 {
		t.Fatal("a message with a wrong signature was taken")
	}
}

func TestASignatureOfYesterdayIsRefused(t *testing.T) {
	receiver := fake.New(t, secret)
	old := webhook.New(webhook.Options{Client: notify.NewClient(dev), Guard: dev,
		Now: func() time.Time { return time.Now().Add(-24 * time.Hour) }})
	if err := old.Send(t.Context(), receiver.Config(), message); err == nil {
		t.Fatal("a replayed request was taken")
	}
}

// The value in docs/user/*/notifications.md, so that the example there is true.
func TestTheSignatureOfTheDocumentedExample(t *testing.T) {
	got := webhook.Signature("whsec-0123456789abcdef", time.Unix(1750136580, 0), []byte(`{"id":"incident/12/report/to/3"}`))
	want := "t=1750136580,v1=ae7afa8874b8a540b93598f4adf58ea5eb197132c7137f60dcf871890c2507f5"
	if got != want {
		t.Fatalf("signature %s, want %s", got, want)
	}
}

func TestAnAnswerThatGotLostIsRepairedByTheKey(t *testing.T) {
	receiver := fake.New(t, secret)
	receiver.LoseAnswer()
	if err := channel().Send(t.Context(), receiver.Config(), message); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("error %v, want another attempt", err)
	}
	if err := channel().Send(t.Context(), receiver.Config(), message); err != nil {
		t.Fatal(err)
	}
	if keys := receiver.Keys(); !slices.Equal(keys, []string{message.Key, message.Key}) || len(receiver.Events()) != 1 {
		t.Fatalf("keys %q, events %v", keys, receiver.Events())
	}
}

func TestRetryAfterIsHandedOn(t *testing.T) {
	receiver := fake.New(t, secret)
	receiver.Answer(1, http.StatusTooManyRequests, http.Header{"Retry-After": {"42"}})
	err := channel().Send(t.Context(), receiver.Config(), message)
	if !fault.Is(err, fault.RateLimited) || fault.As(err).RetryAfter != 42*time.Second {
		t.Fatalf("error %v", err)
	}
}

func TestAReceiverThatHangsIsLeftWhenTheTimeIsUp(t *testing.T) {
	receiver := fake.New(t, secret)
	receiver.Hang()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := channel().Send(ctx, receiver.Config(), message)
	if !fault.Is(err, fault.Unavailable) || fault.As(err).Message != "no answer in time" {
		t.Fatalf("error %v", err)
	}
}

func TestAConfigThatCannotWorkIsRefused(t *testing.T) {
	strict := webhook.New(webhook.Options{Client: notify.NewClient(notify.Guard{})})
	f := func(config, field string) {
		t.Helper()
		err := strict.Check(json.RawMessage(config))
		if !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("%s: %v, want an error of %s", config, err, field)
		}
	}
	good := `{"url": "https://hooks.example.com/x", "secret": "` + secret + `"}`
	if err := strict.Check(json.RawMessage(good)); err != nil {
		t.Fatal(err)
	}
	f(strings.Replace(good, "https", "ftp", 1), "config.url")
	f(strings.Replace(good, "https://hooks.example.com/x", "/relative", 1), "config.url")
	f(strings.Replace(good, "hooks.example.com", "user:pw@hooks.example.com", 1), "config.url")
	f(strings.Replace(good, "hooks.example.com", "127.0.0.1", 1), "config.url")
	f(strings.Replace(good, "hooks.example.com", "[::ffff:169.254.169.254]", 1), "config.url")
	f(strings.Replace(good, secret, "short", 1), "config.secret")
	f(strings.Replace(good, `"url"`, `"address"`, 1), "config")
	f(`null`, "config.url")
	f(`[]`, "config")
}

func TestATemplateMakesTheBodyAndIsSignedAsItIsSent(t *testing.T) {
	f := func(template, kind, want string) {
		t.Helper()
		var got, contentType, signature string
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			got, contentType, signature = string(body), r.Header.Get("Content-Type"), r.Header.Get("X-Matrix-Signature")
		}))
		defer server.Close()
		config, _ := json.Marshal(map[string]string{"url": server.URL, "secret": secret, "template": template, "content_type": kind})
		m := message
		m.Subject, m.Labels = `a "quoted" 이름`, map[string]string{"k": "v"}
		now := time.Unix(1750136580, 0)
		c := webhook.New(webhook.Options{Client: notify.NewClient(dev), Guard: dev, Now: func() time.Time { return now }})
		if err := c.Send(t.Context(), config, m); err != nil {
			t.Fatal(err)
		}
		if got != want || !strings.HasPrefix(contentType, kind) || signature != webhook.Signature(secret, now, []byte(got)) {
			t.Errorf("%s: %s as %s, want %s", template, got, contentType, want)
		}
	}
	f(`{"msg": "{{subject}} · {{ text }}", "all": {{data}}, "l": {{labels}}}`, "application/json",
		`{"msg": "a \"quoted\" 이름 · [요약]\n한 줄", "all": {"incident_id":12}, "l": {"k":"v"}}`)
	f("{{subject}}\n{{link}}", "text/plain", `a "quoted" 이름`+"\n"+message.Link)
}

func TestATemplateThatCannotWorkIsRefusedAndAPreviewNeedsNoSecret(t *testing.T) {
	c := channel()
	f := func(template, kind, field string) {
		t.Helper()
		config, _ := json.Marshal(map[string]string{"url": "https://hooks.example.com/", "secret": secret, "template": template, "content_type": kind})
		if err := c.Check(config); !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("%s: %v, want an error of %s", template, err, field)
		}
	}
	f(`{"a": {{subject}}}`, "application/json", "config.template")
	f(`{"a": "{{data}}"}`, "application/json", "config.template")
	f(`{{secret}}`, "text/plain", "config.template")
	f(`{{range .}}`, "text/plain", "config.template")
	f(strings.Repeat("x", 20_001), "text/plain", "config.template")
	f(`x`, "text/html", "config.content_type")
	f(``, "text/plain", "config.content_type")

	got, err := c.Preview(json.RawMessage(`{"secret": "********", "template": "{\"t\": \"{{subject}}\"}"}`), notify.Sample())
	if err != nil || got != "{\n  \"t\": \"SlowSQL · \\\"order-api\\\"\"\n}\n" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := c.Preview(json.RawMessage(`{}`), notify.Sample()); err != nil || !strings.Contains(got, `"severity": "warning"`) {
		t.Errorf("without a template: %s, %v", got, err)
	}
}
