package notify_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

func TestTheGuardAllowsPublicAddressesOnly(t *testing.T) {
	opened := []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"), // an operator in a hurry
	}
	f := func(addr string, strict, dev, open bool) {
		t.Helper()
		a := netip.MustParseAddr(addr)
		for _, c := range []struct {
			name  string
			guard notify.Guard
			want  bool
		}{{"strict", notify.Guard{}, strict}, {"dev", notify.Guard{Dev: true}, dev}, {"opened", notify.Guard{Private: opened}, open}} {
			if got := c.guard.Allows(a); got != c.want {
				t.Errorf("%s: %s allowed = %v, want %v", c.name, addr, got, c.want)
			}
		}
	}
	const yes, no = true, false
	// public
	f("93.184.216.34", yes, yes, yes)
	f("2606:2800:220:1::1", yes, yes, yes)
	f("::ffff:93.184.216.34", yes, yes, yes)
	// loopback
	f("127.0.0.1", no, yes, no)
	f("127.8.9.10", no, yes, no)
	f("::1", no, yes, no)
	f("::ffff:127.0.0.1", no, yes, no)
	// private: an operator may open them
	f("10.0.0.1", no, yes, yes)
	f("172.16.0.1", no, yes, yes)
	f("172.31.255.255", no, yes, yes)
	f("192.168.1.1", no, yes, yes)
	f("::ffff:192.168.1.1", no, yes, yes)
	f("fd12:3456::1", no, yes, yes)
	f("100.64.0.1", no, yes, yes)
	f("100.127.255.255", no, yes, yes)
	f("64:ff9b::7f00:1", no, yes, yes)
	f("64:ff9b:1::a00:1", no, yes, yes)
	// where clouds keep credentials: never, though some are private and one is public
	f("169.254.169.254", no, no, no)
	f("::ffff:169.254.169.254", no, no, no)
	f("fd00:ec2::254", no, no, no)
	f("fd20:ce::254", no, no, no)
	f("100.100.100.200", no, no, no)
	f("168.63.129.16", no, no, no)
	f("192.0.0.192", no, no, no)
	// link-local, unspecified, multicast, broadcast
	f("169.254.1.1", no, no, no)
	f("fe80::1", no, no, no)
	f("fe80::1%eth0", no, no, no)
	f("0.0.0.0", no, no, no)
	f("0.1.2.3", no, no, no)
	f("::", no, no, no)
	f("224.0.0.1", no, no, no)
	f("239.255.255.250", no, no, no)
	f("ff02::1", no, no, no)
	f("255.255.255.255", no, no, no)
	// reserved, and IPv6 forms that carry an IPv4 address
	f("192.0.2.1", no, no, no)
	f("198.18.0.1", no, no, no)
	f("198.51.100.1", no, no, no)
	f("203.0.113.1", no, no, no)
	f("240.0.0.1", no, no, no)
	f("::7f00:1", no, no, no)      // IPv4-compatible
	f("2002:7f00:1::", no, no, no) // 6to4
	f("2001:0:1::1", no, no, no)   // Teredo
	f("2001:db8::1", no, no, no)
	f("fec0::1", no, no, no) // site-local
	f("100::1", no, no, no)  // discard
}

func TestANameThatResolvesToLoopbackIsRefusedAtTheConnection(t *testing.T) {
	reached := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer server.Close()
	// A name passes every check of the text; what it resolves to is known only at the dial.
	address := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)

	_, err := notify.NewClient(notify.Guard{}).Get(address)
	if err = notify.TransportFault(err); !fault.Is(err, fault.Denied) {
		t.Fatalf("error %v, want denied", err)
	}
	if reached {
		t.Fatal("the server was reached")
	}
	resp, err := notify.NewClient(notify.Guard{Dev: true}).Get(address)
	if err != nil || !reached {
		t.Fatalf("in dev: %v, reached %v", err, reached)
	}
	resp.Body.Close()
}

func TestNoRedirectIsFollowedAndNoProxyIsUsed(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the redirect was followed")
	}))
	defer inside.Close()
	outside := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusTemporaryRedirect))
	defer outside.Close()
	client := notify.NewClient(notify.Guard{Dev: true})
	defer client.CloseIdleConnections()
	if client.Transport.(*http.Transport).Proxy != nil {
		t.Fatal("a proxy would connect in our place, past the guard")
	}
	resp, err := client.Get(outside.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := notify.StatusFault(resp.StatusCode, resp.Header); !fault.Is(err, fault.Invalid) {
		t.Fatalf("a redirect gives %v, want a final error", err)
	}
}

func TestATransportFaultNamesNoAddress(t *testing.T) {
	_, err := notify.NewClient(notify.Guard{Dev: true}).Post("http://127.0.0.1:1/services/T0/B0/secret", "", nil)
	f := fault.As(notify.TransportFault(err))
	if f == nil || f.Kind != fault.Unavailable || f.Message != "the connection was refused" {
		t.Fatalf("fault %+v", f)
	}
	if strings.Contains(f.Error(), "secret") {
		t.Fatalf("the address is in %q", f.Error())
	}
}

func TestAStatusSaysWhetherToTryAgain(t *testing.T) {
	f := func(status int, header http.Header, kind fault.Kind, after string) {
		t.Helper()
		err := notify.StatusFault(status, header)
		if !fault.Is(err, kind) || fault.As(err).RetryAfter.String() != after {
			t.Errorf("%d → %v after %s, want %v after %s", status, fault.KindOf(err), fault.As(err).RetryAfter, kind, after)
		}
	}
	after := func(v string) http.Header {
		return http.Header{"Retry-After": {v}, "Date": {"Tue, 17 Jun 2025 05:03:00 GMT"}}
	}
	f(429, after("7"), fault.RateLimited, "7s")
	f(503, after("Tue, 17 Jun 2025 05:04:30 GMT"), fault.Unavailable, "1m30s")
	f(503, after("999999999999"), fault.Unavailable, "1h0m0s")
	f(503, after("-5"), fault.Unavailable, "0s")
	f(500, nil, fault.Unavailable, "0s")
	f(408, nil, fault.Unavailable, "0s")
	f(400, nil, fault.Invalid, "0s")
	f(401, nil, fault.Invalid, "0s")
	f(404, nil, fault.Invalid, "0s")
	f(410, nil, fault.Invalid, "0s")
	if err := notify.StatusFault(204, nil); err != nil {
		t.Errorf("204 → %v", err)
	}
}
