package email_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	fake "github.com/matrix-aiops/matrix/internal/fake/smtp"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/email"
)

var dev = notify.Guard{Dev: true}

func config(s *fake.Server, change map[string]string) json.RawMessage {
	c := map[string]string{"host": "127.0.0.1", "port": s.Port(), "username": fake.User, "password": fake.Password,
		"from": "MATRIX <" + fake.User + ">", "to": "ann@example.com"}
	for name, value := range change {
		if c[name] = value; value == "" {
			delete(c, name)
		}
	}
	raw, _ := json.Marshal(c)
	return raw
}

func TestAMailIsTextAndHTMLWithItsPicturesInside(t *testing.T) {
	s := fake.New(t, true)
	png := []byte("\x89PNG\r\n\x1a\n…")
	err := email.New(email.Options{Guard: dev, Roots: s.Roots()}).Send(t.Context(), config(s, nil), notify.Message{
		Project: 1, Key: "k", Subject: "느린 쿼리 · order-api", Text: "[요약]\nSELECT a < b & c\n<script>alert(1)</script>",
		Link: "https://m.example.com/?a=1&b=2", LinkText: "열기", Language: "ko",
		Pictures: []notify.Picture{{Name: "p95", Alt: "p95 지연 시간", PNG: png}},
	})
	if err != nil {
		t.Fatal(err, s.Refusals())
	}
	got := s.Mails()[0]
	for _, words := range []string{`lang="ko"`, "SELECT a &lt; b &amp; c", "&lt;script&gt;", ">[요약]</h2>", `alt="p95 지연 시간"`, ">열기</a>"} {
		if !strings.Contains(got.HTML, words) {
			t.Errorf("no %q in\n%s", words, got.HTML)
		}
	}
	if !strings.Contains(got.Text, "<script>alert(1)</script>") || !strings.Contains(got.Text, "열기: https://m.example.com/?a=1&b=2") {
		t.Errorf("text %q", got.Text)
	}
	if len(got.Pictures) != 1 || !bytes.Equal(got.Pictures["picture-1.png"], png) {
		t.Errorf("pictures %q", got.Pictures)
	}
}

func TestTheMailsOfAnIncidentAreOneConversation(t *testing.T) {
	s := fake.New(t, true)
	c := email.New(email.Options{Guard: dev, Roots: s.Roots()})
	for _, m := range []notify.Message{{Key: "1", Thread: "incident/1"}, {Key: "2", Thread: "incident/1"}, {Key: "3", Thread: "incident/2"}, {Key: "4"}} {
		m.Text = "x"
		if err := c.Send(t.Context(), config(s, nil), m); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Mails()
	if got[0].References == "" || got[0].References != got[1].References || got[1].References == got[2].References || got[3].References != "" || got[0].Key == got[1].Key {
		t.Fatalf("%q %q %q %q", got[0].References, got[1].References, got[2].References, got[3].References)
	}
}

func TestAPasswordNeverLeavesUnencrypted(t *testing.T) {
	s := fake.New(t, false)
	c := email.New(email.Options{Guard: dev})
	err := c.Send(t.Context(), config(s, nil), notify.Message{Text: "x"})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "STARTTLS") || len(s.Mails()) != 0 {
		t.Fatalf("a server without STARTTLS: %v", err)
	}
	if err := c.Check(config(s, map[string]string{"security": "none"})); !fault.Is(err, fault.Invalid) || fault.As(err).Field != "config.password" {
		t.Fatalf("a password without encryption: %v", err)
	}
	relay := config(s, map[string]string{"security": "none", "username": "", "password": ""})
	if err := c.Send(t.Context(), relay, notify.Message{Text: "through the relay of the house"}); err != nil {
		t.Fatal(err)
	}
}

func TestACertificateNobodyVouchesForIsRefused(t *testing.T) {
	s := fake.New(t, true)
	err := email.New(email.Options{Guard: dev}).Send(t.Context(), config(s, nil), notify.Message{Text: "x"})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.As(err).Message, "certificate") || len(s.Mails()) != 0 {
		t.Fatalf("error %v", err)
	}
}

func TestWhatTheServerRefusesIsSaidByItsCode(t *testing.T) {
	s := fake.New(t, true)
	c := email.New(email.Options{Guard: dev, Roots: s.Roots()})
	f := func(change map[string]string, want string) {
		t.Helper()
		if err := c.Send(t.Context(), config(s, change), notify.Message{Text: "x"}); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.As(err).Message, want) {
			t.Errorf("%v: %v, want %q", change, err, want)
		}
	}
	f(map[string]string{"password": "wrong-password"}, "user name or password (535)")
	f(map[string]string{"from": "somebody@example.com"}, "(553)")
	f(map[string]string{"to": "ann@elsewhere.example"}, "(554)")
}

func TestAMailServerInAForbiddenNetworkIsNotReached(t *testing.T) {
	s := fake.New(t, true)
	c := email.New(email.Options{Roots: s.Roots()})
	if err := c.Check(config(s, nil)); !fault.Is(err, fault.Invalid) || fault.As(err).Field != "config.host" {
		t.Errorf("a literal address: %v", err)
	}
	if err := c.Send(t.Context(), config(s, map[string]string{"host": "localhost"}), notify.Message{Text: "x"}); !fault.Is(err, fault.Denied) || s.Requests() != 0 {
		t.Errorf("a name of one: %v, %d sessions", err, s.Requests())
	}
}
