package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Scope limits what an API token may do of what its owner may do.
type Scope string

// The scopes. The stronger of a family includes the weaker.
const (
	ScopeProjectRead  Scope = "project.read"
	ScopeProjectWrite Scope = "project.write"
	ScopeProjectAdmin Scope = "project.admin"
	ScopeAIAsk        Scope = "ai.ask"   // AI roles
	ScopeAIModel      Scope = "ai.model" // and models by name
	ScopeOrgRead      Scope = "org.read"
	ScopeOrgAdmin     Scope = "org.admin"
	ScopeDataUnmasked Scope = "data.unmasked" // personal data and what was said to models, unmasked, beside project.*
	ScopeSystemAdmin  Scope = "system.admin"
)

// Scopes lists every scope.
var Scopes = []Scope{ScopeProjectRead, ScopeProjectWrite, ScopeProjectAdmin, ScopeAIAsk, ScopeAIModel, ScopeOrgRead, ScopeOrgAdmin, ScopeDataUnmasked, ScopeSystemAdmin}

// maxTokenLife is the longest a token may live.
const maxTokenLife = 366 * 24 * time.Hour

// Token is a user's API token. It can do what its owner can do at the time of
// use, as far as its scopes go; it can never touch accounts or make tokens.
type Token struct {
	ID         int64      `json:"id"`
	Name       string     `json:"name"`
	Hint       string     `json:"hint" doc:"the token's first characters"`
	Scopes     []Scope    `json:"scopes"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

func (t *Token) has(scope Scope) bool { return slices.Contains(t.Scopes, scope) }

// NewToken is a Token with the secret itself, which is shown this one time.
type NewToken struct {
	Token
	Secret string `json:"secret"`
}

// Tokens lists a user's tokens, newest first.
func (s *Store) Tokens(ctx context.Context, user int64) ([]Token, error) {
	rows, err := s.db.Query(ctx, `SELECT `+tokenColumns+` FROM api_token t WHERE t.user_id = $1 ORDER BY t.id DESC`, user)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (t Token, err error) { return t, scanToken(r, &t) })
}

const tokenColumns = `t.id, t.name, t.hint, t.scopes, t.created_at, t.expires_at, t.last_used_at, t.revoked_at`

func scanToken(r interface{ Scan(...any) error }, t *Token, more ...any) error {
	var created, expires, used, revoked int64
	var scopes json.RawMessage
	if err := r.Scan(append([]any{&t.ID, &t.Name, &t.Hint, &scopes, &created, &expires, &used, &revoked}, more...)...); err != nil {
		return err
	}
	t.CreatedAt, t.ExpiresAt = metadb.FromMicros(created), metadb.FromMicros(expires)
	t.LastUsedAt, t.RevokedAt = optional(used), optional(revoked)
	return json.Unmarshal(scopes, &t.Scopes)
}

// CreateToken makes a token for the actor. A scope beyond the actor's own
// rights is refused. Only the result holds the secret.
func (s *Store) CreateToken(ctx context.Context, a Actor, name string, scopes []Scope, expires time.Time) (t NewToken, err error) {
	if err := checkName(&name); err != nil {
		return t, err
	}
	now := s.now().UTC()
	switch {
	case len(scopes) == 0:
		return t, fault.New(fault.Invalid, "a token needs at least one scope").WithField("scopes")
	case expires.Before(now) || expires.After(now.Add(maxTokenLife)):
		return t, fault.New(fault.Invalid, "a token expires within a year from now").WithField("expires_at")
	}
	scopes = slices.Compact(slices.Sorted(slices.Values(scopes)))
	for _, scope := range scopes {
		if !slices.Contains(Scopes, scope) {
			return t, fault.New(fault.Invalid, "there is no scope %q", scope).WithField("scopes")
		}
		if scope == ScopeSystemAdmin && !a.System {
			return t, fault.New(fault.Denied, "only a system admin's token can have the scope system.admin").WithField("scopes")
		}
	}
	t.Token = Token{Name: name, Scopes: scopes, CreatedAt: now, ExpiresAt: expires.UTC()}
	t.Secret, t.Hint = newSecret(tokenPrefix)
	stored, err := json.Marshal(scopes)
	if err != nil {
		return t, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if t.ID, err = metadb.NextID(ctx, tx, "api_token"); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO api_token (id, user_id, name, hint, hash, scopes, created_at, expires_at, last_used_at, revoked_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)`,
			t.ID, a.UserID, name, t.Hint, digest(t.Secret), json.RawMessage(stored), metadb.Micros(now), metadb.Micros(expires))
		return err
	})
	return t, err
}

// RevokeToken ends one of the user's tokens.
func (s *Store) RevokeToken(ctx context.Context, user, id int64) error {
	n, err := s.db.Exec(ctx, `UPDATE api_token SET revoked_at = CASE revoked_at WHEN 0 THEN $3 ELSE revoked_at END
		WHERE user_id = $1 AND id = $2`, user, id, metadb.Micros(s.now()))
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "token %d does not exist", id)
	}
	return err
}

// AuthenticateToken returns who an API token speaks for. An unknown, revoked or
// expired token, or a disabled owner, is fault.Unauthenticated.
func (s *Store) AuthenticateToken(ctx context.Context, secret string) (Actor, error) {
	refused := fault.New(fault.Unauthenticated, "the API token is unknown, revoked or expired")
	if !wellFormed(secret, tokenPrefix) {
		return Actor{}, refused
	}
	hash := digest(secret)
	actor, err := s.tokens.Get(hash, s.db.changes.Load(), s.now(), func() (Actor, error) { return s.lookUpToken(ctx, hash) })
	switch {
	case errors.Is(err, metadb.ErrNoRows):
		return Actor{}, refused
	case err != nil:
		return Actor{}, err
	case !actor.Token.ExpiresAt.After(s.now()):
		return Actor{}, refused
	}
	return actor, nil
}

// lookUpToken reads a token and whom it speaks for, and notes its use;
// metadb.ErrNoRows. The token is shared: it must not be changed.
func (s *Store) lookUpToken(ctx context.Context, hash string) (Actor, error) {
	now := s.now()
	token := &Token{}
	actor := Actor{Token: token}
	err := scanToken(s.db.QueryRow(ctx, `SELECT `+tokenColumns+`, a.id, a.name, a.system_admin, a.service_org > 0
		FROM api_token t JOIN account a ON a.id = t.user_id
		WHERE t.hash = $1 AND t.revoked_at = 0 AND t.expires_at > $2 AND NOT a.disabled`, hash, metadb.Micros(now)),
		token, &actor.UserID, &actor.Name, &actor.System, &actor.Service)
	if err != nil {
		return Actor{}, err
	}
	if token.LastUsedAt == nil || now.Sub(*token.LastUsedAt) >= lastUsedEvery {
		if _, err := s.db.Exec(ctx, `UPDATE api_token SET last_used_at = $2 WHERE id = $1`, token.ID, metadb.Micros(now)); err != nil {
			s.log.WarnContext(ctx, "last use of a token was not noted", "token_id", token.ID, "error", err.Error())
		}
	}
	return actor, nil
}
