package notify

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Guard decides which addresses messages may be sent to. The zero value
// allows public unicast addresses only.
type Guard struct {
	// Dev also allows loopback and private addresses, for a laptop.
	Dev bool
	// Private lists networks inside the private ranges (RFC 1918, unique local,
	// carrier-grade NAT, NAT64) that may be reached: where the receivers of this
	// installation live. It cannot open loopback, link-local or metadata addresses.
	Private []netip.Prefix
}

// metadata are the addresses on which clouds hand out credentials. Neither
// Private nor Dev opens them, though some lie in ranges that these can.
var metadata = addresses(
	"169.254.169.254", // AWS, GCP, Azure and most others
	"fd00:ec2::254",   // AWS over IPv6
	"fd20:ce::254",    // GCP over IPv6
	"100.100.100.200", // Alibaba
	"192.0.0.192",     // Oracle
	"168.63.129.16",   // Azure wire server, in the public range
)

// private are the ranges an operator may open with Guard.Private.
var private = prefixes(
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",
	"100.64.0.0/10",                  // carrier-grade NAT
	"64:ff9b::/96", "64:ff9b:1::/48", // NAT64: an IPv4 address in disguise
)

// reserved are the ranges of the IANA special-purpose registries that are not
// covered by a predicate of netip and are never a receiver's.
var reserved = prefixes(
	"0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// global is all of IPv6 that is routed on the Internet.
var global = netip.MustParsePrefix("2000::/3")

// Allows reports whether a connection to addr may be opened.
func (g Guard) Allows(addr netip.Addr) bool {
	addr = addr.WithZone("").Unmap() // ::ffff:127.0.0.1 is 127.0.0.1
	for _, m := range metadata {
		if addr == m {
			return false
		}
	}
	switch {
	case !addr.IsValid(), addr.IsUnspecified(), addr.IsMulticast(),
		addr.IsLinkLocalUnicast(), within(addr, reserved):
		return false
	case addr.IsLoopback():
		return g.Dev
	case within(addr, private):
		return g.Dev || within(addr, g.Private)
	}
	return addr.Is4() || global.Contains(addr)
}

// check refuses a connection at the last moment, after the name was resolved
// and before the first packet: a name that resolves to something else the
// second time gains nothing.
func (g Guard) check(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !g.Allows(to.Addr()) {
		return fault.New(fault.Denied, "the address is not allowed: it is not public, and the server's settings do not open it")
	}
	return nil
}

// Dialer returns a dialer whose every connection passes the guard. Who uses it for
// HTTP uses no proxy: that would connect in our place.
func (g Guard) Dialer() *net.Dialer {
	return &net.Dialer{Timeout: 5 * time.Second, ControlContext: g.check}
}

// NewClient returns the HTTP client all channels send with. Every connection it
// opens passes the guard; it uses no proxy from the environment (a proxy would
// connect in our place, past the guard) and follows no redirect.
func NewClient(g Guard) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            g.Dialer().DialContext,
			TLSHandshakeTimeout:    5 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func within(addr netip.Addr, in []netip.Prefix) bool {
	for _, p := range in {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func addresses(texts ...string) []netip.Addr {
	out := make([]netip.Addr, len(texts))
	for i, s := range texts {
		out[i] = netip.MustParseAddr(s)
	}
	return out
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, s := range texts {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}
