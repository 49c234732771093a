// Package smtp is a mail server that runs in a test. It takes mail only after
// STARTTLS and AUTH (RFC 3207, 4954), from its own user to its own domains, and
// refuses what a strict server refuses: a line of more than 998 bytes, no
// Message-ID, Date or From (RFC 5322), no plain text beside HTML, parts that cannot be read.
package smtp

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/matrix-aiops/matrix/internal/fake/channel"
)

// The one user.
const (
	User     = "matrix@example.com"
	Password = "fake-smtp-password-0123"
)

const maxLine = 998 // bytes, RFC 5322 section 2.1.1

// Mail is one mail as it was read.
type Mail struct {
	channel.Message
	HTML       string
	References string
	Pictures   map[string][]byte // PNG by Content-ID
}

// Server is the mail server.
type Server struct {
	channel.Gate
	listener net.Listener
	server   *smtp.Server
	roots    *x509.CertPool

	mu       sync.Mutex
	mails    []Mail
	refused  []string
	sessions int
	scripted []*smtp.SMTPError
	lose     int
}

// New starts a server that ends with the test. Without TLS it offers neither
// STARTTLS nor AUTH.
func New(t testing.TB, withTLS bool) *Server {
	t.Helper()
	s := &Server{}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return s.session(c) }))
	s.server.Domain = "mail.example.com"
	s.server.MaxMessageBytes = 4 << 20
	s.server.MaxRecipients = 50
	s.server.ErrorLog = silent{}
	if withTLS {
		certificate, roots := certify(t)
		s.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		s.roots = roots
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.listener = listener
	go func() { _ = s.server.Serve(listener) }()
	t.Cleanup(func() {
		s.Resume()
		_ = s.server.Close()
	})
	return s
}

// Port is where it listens on 127.0.0.1.
func (s *Server) Port() string {
	return strconv.Itoa(s.listener.Addr().(*net.TCPAddr).Port)
}

// Roots verify its certificate.
func (s *Server) Roots() *x509.CertPool { return s.roots }

// Fail makes the next n mails fail: 5xx statuses of HTTP stand for a server that is not ready.
func (s *Server) Fail(n, status int) {
	code := 421
	if status < http.StatusInternalServerError {
		code = 554
	}
	s.script(n, &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: "internal details of " + User})
}

// Limit makes the next n mails fail as of a sender that sends too many. SMTP cannot say how long to wait.
func (s *Server) Limit(n int, _ time.Duration) {
	s.script(n, &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "too much mail from " + User})
}

// Refuse makes the next n mails fail for good.
func (s *Server) Refuse(n int) {
	s.script(n, &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "rejected: " + User})
}

func (s *Server) script(n int, e *smtp.SMTPError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.scripted = append(s.scripted, e)
	}
}

// LoseAnswer makes the next mail get through and be answered 451.
func (s *Server) LoseAnswer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose++
}

// Mails returns what was taken so far, in order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Messages is Mails without what only mails have.
func (s *Server) Messages() []channel.Message {
	var out []channel.Message
	for _, m := range s.Mails() {
		out = append(out, m.Message)
	}
	return out
}

// Refusals returns why mails were refused.
func (s *Server) Refusals() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refused)
}

// Requests is how many sessions began.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// silent is a logger of a server whose failures are what tests want.
type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions++
	return &session{server: s, conn: c}, nil
}

type session struct {
	server        *Server
	conn          *smtp.Conn
	authenticated bool
	from          string
	to            []string
}

// AuthMechanisms implements smtp.AuthSession.
func (c *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (c *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != User || password != Password {
			return smtp.ErrAuthFailed
		}
		c.authenticated = true
		return nil
	}), nil
}

// Reset implements smtp.Session.
func (c *session) Reset() { c.from, c.to = "", nil }

// Logout implements smtp.Session.
func (c *session) Logout() error { return nil }

// Mail implements smtp.Session.
func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	if c.server.roots != nil {
		if _, secure := c.conn.TLSConnectionState(); !secure {
			return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Must issue a STARTTLS command first"}
		}
		if !c.authenticated {
			return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
		}
	}
	if from != User {
		return &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Sender address rejected"}
	}
	c.from = from
	return nil
}

// Rcpt implements smtp.Session.
func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !strings.HasSuffix(to, "@example.com") {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Relay access denied"}
	}
	c.to = append(c.to, to)
	return nil
}

// Data implements smtp.Session.
func (c *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s := c.server
	s.mu.Lock()
	hung := s.Held()
	s.mu.Unlock()
	if hung != nil {
		<-hung
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.scripted) > 0 && hung == nil {
		e := s.scripted[0]
		s.scripted = s.scripted[1:]
		return e
	}
	m, err := read(raw)
	if err != nil {
		s.refused = append(s.refused, err.Error())
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: err.Error()}
	}
	m.To = strings.Join(c.to, ",")
	s.mails = append(s.mails, m)
	if s.lose > 0 {
		s.lose--
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again"}
	}
	return nil
}

func read(raw []byte) (Mail, error) {
	out := Mail{Pictures: map[string][]byte{}}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > maxLine || bytes.ContainsAny(line, "\n\r\x00") {
			return out, fmt.Errorf("a line of %d bytes, or with a bare line break", len(line))
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return out, err
	}
	for _, name := range []string{"From", "To", "Date", "Message-ID", "Subject", "MIME-Version"} {
		if m.Header.Get(name) == "" {
			return out, fmt.Errorf("no %s", name)
		}
	}
	if _, err := m.Header.Date(); err != nil {
		return out, err
	}
	if out.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return out, err
	}
	out.Key, out.References = m.Header.Get("Message-ID"), m.Header.Get("References")
	if !regexp.MustCompile(`^<[^<>@\s]+@[^<>@\s]+>$`).MatchString(out.Key) {
		return out, fmt.Errorf("Message-ID %q", out.Key)
	}
	if err := out.part(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), "", m.Body); err != nil {
		return out, err
	}
	if out.Text == "" {
		return out, fmt.Errorf("no plain text")
	}
	for _, found := range regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(out.HTML, -1) {
		out.Links = append(out.Links, strings.ReplaceAll(found[1], "&amp;", "&"))
	}
	for _, found := range regexp.MustCompile(`src="cid:([^"]+)"`).FindAllStringSubmatch(out.HTML, -1) {
		if out.Pictures[found[1]] == nil {
			return out, fmt.Errorf("picture %q is not there", found[1])
		}
	}
	return out, nil
}

// part reads one part of a mail and those inside it.
func (m *Mail) part(contentType, encoding, id string, body io.Reader) error {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("content type %q: %w", contentType, err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		for parts := multipart.NewReader(body, parameters["boundary"]); ; {
			p, err := parts.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if err := m.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p.Header.Get("Content-ID"), p); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("part %s: %w", kind, err)
	}
	switch kind {
	case "text/plain":
		m.Text = strings.ReplaceAll(string(data), "\r\n", "\n")
	case "text/html":
		m.HTML = string(data)
	case "image/png":
		m.Pictures[strings.Trim(id, "<>")] = data
	default:
		return fmt.Errorf("part of type %s", kind)
	}
	return nil
}

// certify makes a certificate for 127.0.0.1 and the pool that trusts it.
func certify(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
