package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/notify"
)

// resolving makes every host name of the test stand for 127.0.0.1, by a name
// server of its own.
func resolving(t *testing.T) {
	t.Helper()
	server, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		packet := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(packet)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(packet[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
			}
			if answer, err := m.Pack(); err == nil {
				_, _ = server.WriteTo(answer, from)
			}
		}
	}()
	before := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

func TestAnOrganisationsProviderIsRefusedAsItConnectsWhateverItsNameIs(t *testing.T) {
	resolving(t)
	service, err := llm.Start("")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = service.Close() }()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(service.Base, "http://"))
	for kind := range providerKinds {
		base := "http://models.example:" + port
		if strings.HasPrefix(kind, "openai") {
			base += "/v1"
		}
		ask := func(makers map[string]func(string) (ai.Provider, error)) error {
			t.Helper()
			provider, err := makers[kind](base)
			if err != nil {
				t.Fatal(err)
			}
			_, err = provider.Complete(t.Context(), ai.Request{Key: "k", Model: "m", Messages: []ai.Message{{Role: ai.RoleUser, Text: "hello"}}}, nil)
			return err
		}
		asked := len(service.Requests())
		for _, guard := range []notify.Guard{{}, {Private: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8")}}} {
			var failed *ai.Failure
			err := ask(providersOver(orgClient(guard)))
			if !errors.As(err, &failed) || failed.Class != ai.Transport || failed.Code != "not_public" || len(service.Requests()) != asked {
				t.Errorf("%s: %v, the service got %d requests", kind, err, len(service.Requests())-asked)
			}
		}
		// The same name, where loopback may be asked.
		if err := ask(providersOver(orgClient(notify.Guard{Dev: true}))); err != nil {
			t.Errorf("%s with --dev: %v", kind, err)
		}
		// The installation's own may be anywhere.
		if err := ask(providerKinds); err != nil {
			t.Errorf("%s of the installation: %v", kind, err)
		}
	}
}

func TestAnOrganisationsProviderLeadsNowhereElse(t *testing.T) {
	reached := false
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer inside.Close()
	leads := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusTemporaryRedirect))
	defer leads.Close()
	provider, err := providersOver(orgClient(notify.Guard{Dev: true}))["openai"](leads.URL)
	if err != nil {
		t.Fatal(err)
	}
	if models, err := provider.(ai.Lister).Models(t.Context(), "k"); err == nil || reached {
		t.Errorf("it was followed to another address: %v, %v", models, err)
	}
}
