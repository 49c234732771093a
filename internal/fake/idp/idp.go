// Package idp is an OpenID Connect provider to sign in at: a real one, built of
// the server of github.com/zitadel/oidc with its storage in memory. It checks
// what providers check (redirect addresses, the client's secret, PKCE, codes
// that are used once) and signs its tokens; tests say who its people are.
package idp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"
)

// The client that may ask.
const (
	ClientID     = "matrix"
	ClientSecret = "client-secret-of-matrix"
	password     = "verysecure"
)

// Person is somebody who can sign in.
type Person struct {
	Subject  string
	Email    string
	Verified bool
	Name     string
	Groups   []string // the claim groups; nil sends none
}

// Server is a running provider.
type Server struct {
	*httptest.Server
	mu     sync.Mutex
	people map[string]Person // by subject
	asked  map[string]int    // requests by path
}

// Start runs a provider whose client may be led back to the given addresses, and
// to the login pages beside them after somebody has signed out.
func Start(t *testing.T, redirects ...string) *Server {
	t.Helper()
	s := &Server{people: map[string]Person{}, asked: map[string]int{}}
	var provider http.Handler
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[r.URL.Path]++
		s.mu.Unlock()
		provider.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	clients := map[string]*storage.Client{ClientID: storage.WebClient(ClientID, ClientSecret, redirects...)}
	provider = exampleop.SetupServer(s.URL, &store{storage.NewStorageWithClients(users{s}, clients), s, redirects}, nil, false)
	return s
}

// Set adds a person, or changes what is known of one.
func (s *Server) Set(p Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people[p.Subject] = p
}

// Asked returns how often a path was asked for.
func (s *Server) Asked(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

// SignIn is a browser in which somebody signs in at the address that a client
// sent it to. It returns where the provider leads back to.
func (s *Server) SignIn(ctx context.Context, authorize, subject string) (*url.URL, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser, back := s.browser(jar)
	page, err := s.send(ctx, browser, http.MethodGet, authorize, nil)
	if err != nil || *back != nil { // back already: the request was refused
		return *back, err
	}
	form := url.Values{"username": {subject}, "password": {password}, "id": {page.Query().Get("authRequestID")}}
	if _, err := s.send(ctx, browser, http.MethodPost, s.URL+"/login/username", form); err != nil {
		return nil, err
	}
	if *back == nil {
		return nil, errors.New("the provider did not lead back")
	}
	return *back, nil
}

// Open is a browser that opens an address of the provider's. It returns where the
// provider leads, nil when it leads nowhere.
func (s *Server) Open(ctx context.Context, address string) (*url.URL, error) {
	browser, back := s.browser(nil)
	_, err := s.send(ctx, browser, http.MethodGet, address, nil)
	return *back, err
}

// browser follows the provider to wherever it leads away, which is told then.
func (s *Server) browser(jar http.CookieJar) (browser *http.Client, back **url.URL) {
	back = new(*url.URL)
	return &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), s.URL+"/") {
			*back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}, back
}

// send returns the address of the page that was shown in the end.
func (s *Server) send(ctx context.Context, browser *http.Client, method, address string, form url.Values) (*url.URL, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := browser.Do(r)
	if err != nil {
		return nil, err
	}
	if err := answer.Body.Close(); err != nil {
		return nil, err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("the provider answers %s", answer.Status)
	}
	return answer.Request.URL, nil
}

// users are the people as the example's storage wants them.
type users struct{ s *Server }

// GetUserByID implements storage.UserStore.
func (u users) GetUserByID(id string) *storage.User {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	p, ok := u.s.people[id]
	if !ok {
		return nil
	}
	first, last, _ := strings.Cut(p.Name, " ")
	return &storage.User{ID: id, Username: id, Password: password, FirstName: first, LastName: last, Email: p.Email, EmailVerified: p.Verified, PreferredLanguage: language.English}
}

// GetUserByUsername implements storage.UserStore.
func (u users) GetUserByUsername(name string) *storage.User { return u.GetUserByID(name) }

// ExampleClientID implements storage.UserStore.
func (users) ExampleClientID() string { return "service" }

// store adds the groups to what the userinfo endpoint says, and the addresses after
// logout to what is known of the client.
type store struct {
	*storage.Storage
	s         *Server
	redirects []string
}

// SetUserinfoFromToken implements op.Storage.
func (s *store) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, token, subject, origin string) error {
	if err := s.Storage.SetUserinfoFromToken(ctx, info, token, subject, origin); err != nil {
		return err
	}
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	if groups := s.s.people[subject].Groups; groups != nil {
		info.AppendClaims("groups", slices.Clone(groups))
	}
	return nil
}

// GetClientByClientID implements op.Storage.
func (s *store) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := s.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return &client{c, s.redirects}, nil
}

// client knows where it may be led back to after logout, which the example's does not.
type client struct {
	op.Client
	redirects []string
}

// PostLogoutRedirectURIs implements op.Client.
func (c *client) PostLogoutRedirectURIs() []string {
	var pages []string
	for _, redirect := range c.redirects {
		if at, err := url.Parse(redirect); err == nil {
			pages = append(pages, at.Scheme+"://"+at.Host+"/login")
		}
	}
	return pages
}
