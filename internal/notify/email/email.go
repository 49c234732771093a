// Package email sends messages by SMTP, as text and as HTML, with pictures in
// the HTML. The messages of an incident are one conversation in the reader's
// mailbox.
//
// A message has the same Message-ID at every attempt, by which most servers and
// readers drop one that came before.
package email

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/mail"
	"net/netip"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

const (
	maxText       = 200_000 // characters, ours: servers take megabytes, readers do not
	maxTitle      = 200     // characters; RFC 5322 allows 998 bytes in a line
	maxRecipients = 50
	maxLink       = 2000
)

// Options are the dependencies of a Channel.
type Options struct {
	Guard notify.Guard
	// Roots verify the server's certificate; nil for the system's.
	Roots *x509.CertPool
	// Timeout bounds one session; default 30 s.
	Timeout time.Duration
}

// Channel sends through SMTP servers.
type Channel struct{ opts Options }

// New returns an e-mail channel.
func New(opts Options) *Channel {
	opts.Timeout = cmp.Or(opts.Timeout, 30*time.Second)
	return &Channel{opts}
}

type config struct {
	Host     string `json:"host"`
	Port     string `json:"port,omitempty"` // default 587, or 465 for tls
	Security string `json:"security,omitempty"`
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	From     string `json:"from"`
	To       string `json:"to"` // addresses with commas between
}

// The ways a session is secured.
const (
	startTLS = "starttls" // the default; a server without it is refused
	direct   = "tls"      // from the first byte
	plain    = "none"     // for a relay in one's own network, and without a password
)

// Digest says that people read it.
func (c *Channel) Digest() {}

// ShowsPictures says that a mail holds them.
func (c *Channel) ShowsPictures() {}

// CheckAddress wants none: mail goes to the address of the account.
func (c *Channel) CheckAddress(address string) error {
	if address != "" {
		return fault.New(fault.Invalid, "mail goes to the address of your account: leave it empty")
	}
	return nil
}

// To sends to the account's address.
func (c *Channel) To(raw json.RawMessage, _, email string) (json.RawMessage, error) {
	s, err := c.read(raw)
	if err != nil {
		return nil, err
	}
	s.To = (&mail.Address{Address: email}).String()
	return json.Marshal(s.config)
}

// Kind is "email".
func (c *Channel) Kind() string { return "email" }

// Secrets is the password.
func (c *Channel) Secrets() []string { return []string{"password"} }

// Check wants {"host", "from", "to"}, and username and password where the server asks for them.
func (c *Channel) Check(raw json.RawMessage) error {
	_, err := c.read(raw)
	return err
}

// read returns the config with its defaults, its sender and its recipients.
func (c *Channel) read(raw json.RawMessage) (s settings, err error) {
	if err := notify.ReadConfig(raw, &s.config,
		`{"host": …, "port": …, "security": "starttls", "tls" or "none", "username": …, "password": …, "from": …, "to": …}`); err != nil {
		return s, err
	}
	s.Security = cmp.Or(s.Security, startTLS)
	s.Port = cmp.Or(s.Port, map[string]string{startTLS: "587", direct: "465", plain: "25"}[s.Security])
	port, portErr := strconv.ParseUint(s.Port, 10, 16)
	s.port = int(port)
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField("config." + field)
	}
	switch {
	case s.Host == "" || strings.ContainsAny(s.Host, "/:@ "):
		return s, bad("host", "host must be the name of a mail server")
	case s.Security != startTLS && s.Security != direct && s.Security != plain:
		return s, bad("security", "security must be starttls, tls or none")
	case portErr != nil || port == 0:
		return s, bad("port", "port must be a number, mostly 587 or 465")
	case s.Security == plain && s.Password != "":
		return s, bad("password", "a password is not sent without encryption: use starttls or tls")
	case (s.Username == "") != (s.Password == ""):
		return s, bad("username", "give both username and password, or none")
	}
	if addr, err := netip.ParseAddr(s.Host); err == nil && !c.opts.Guard.Allows(addr) {
		return s, bad("host", "host is an address that is not allowed")
	}
	if s.from, err = mail.ParseAddress(s.From); err != nil {
		return s, bad("from", "from must be an address, like MATRIX <matrix@example.com>")
	}
	if s.to, err = mail.ParseAddressList(s.To); err != nil {
		return s, bad("to", "to must be addresses with commas between")
	}
	if len(s.to) > maxRecipients {
		return s, bad("to", "to must be at most %d addresses", maxRecipients)
	}
	return s, nil
}

// settings is a config that was checked.
type settings struct {
	config
	port int
	from *mail.Address
	to   []*mail.Address
}

// Send sends m in one session.
func (c *Channel) Send(ctx context.Context, raw json.RawMessage, m notify.Message) error {
	s, err := c.read(raw)
	if err != nil {
		return err
	}
	msg, err := compose(s, m)
	if err != nil {
		return err
	}
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(c.opts.Timeout), gomail.WithHELO("matrix.local"),
		gomail.WithoutNoop(), gomail.WithTLSConfig(&tls.Config{ServerName: s.Host, RootCAs: c.opts.Roots, MinVersion: tls.VersionTLS12}),
	}
	switch s.Security {
	case plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.Password != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.Username), gomail.WithPassword(s.Password))
	}
	if s.Security == direct {
		options = append(options, gomail.WithSSL())
	}
	options = append(options, gomail.WithDialContextFunc(c.dial(ctx, s)))
	client, err := gomail.NewClient(s.Host, options...)
	if err != nil {
		return fault.New(fault.Invalid, "the mail server's settings do not go together")
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return classify(ctx, err)
	}
	defer func() { _ = client.CloseWithSMTPClient(session) }()
	return classify(ctx, client.SendWithSMTPClient(session, msg))
}

// dial connects past the guard, and hangs up when ctx of the whole attempt ends:
// the library looks at it only while it connects.
func (c *Channel) dial(attempt context.Context, s settings) gomail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := c.opts.Guard.Dialer().DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(attempt, func() { conn.Close() })
		if s.Security != direct {
			return conn, nil
		}
		secure := tls.Client(conn, &tls.Config{ServerName: s.Host, RootCAs: c.opts.Roots, MinVersion: tls.VersionTLS12})
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secure, nil
	}
}

// classify turns what went wrong into a fault that repeats nothing of what the
// server said, only its code: answers name addresses and users.
func classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if f := fault.As(err); f != nil { // the guard's refusal
		return f
	}
	if ctx.Err() != nil {
		return notify.TransportFault(ctx.Err())
	}
	code := 0
	var sent *gomail.SendError
	var said *textproto.Error
	switch {
	case errors.As(err, &said):
		code = said.Code
	case errors.As(err, &sent):
		code = sent.ErrorCode()
		if code == 0 && (sent.Reason == gomail.ErrConnCheck || sent.IsTemp()) {
			return fault.New(fault.Unavailable, "the connection broke")
		}
	}
	switch {
	case code == 535 || code == 534 || code == 530:
		return fault.New(fault.Invalid, "the mail server refused the user name or password (%d)", code)
	case code == 450 || code == 451 || code == 452:
		return fault.New(fault.RateLimited, "the mail server takes no more for now (%d)", code)
	case code/100 == 4:
		return fault.New(fault.Unavailable, "the mail server is not ready (%d)", code)
	case code/100 == 5:
		return fault.New(fault.Invalid, "the mail server refused the message (%d)", code)
	case errors.Is(err, gomail.ErrPlainAuthNotSupported), errors.Is(err, gomail.ErrNoSupportedAuthDiscovered),
		strings.Contains(err.Error(), "does not support SMTP AUTH"):
		return fault.New(fault.Invalid, "the mail server takes no user name and password the way MATRIX gives them")
	case strings.Contains(err.Error(), "STARTTLS"):
		return fault.New(fault.Invalid, "the mail server offers no STARTTLS: use port 465 with tls")
	case errors.Is(err, io.EOF):
		return fault.New(fault.Unavailable, "the connection broke")
	}
	return notify.TransportFault(err)
}
