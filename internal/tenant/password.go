package tenant

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// The parameters are OWASP's first choice for Argon2id: 19 MiB, two passes, one
// lane (OWASP Password Storage Cheat Sheet, "Argon2id"). They are stored with
// each hash, and a login renews a hash made with others.
const (
	argonMemory  = 19 * 1024 // KiB
	argonPasses  = 2
	argonLanes   = 1
	argonSalt    = 16 // bytes
	argonLength  = 32 // bytes
	passwordMin  = 10 // characters
	passwordMax  = 256
	passwordBits = 120 // of a generated password
)

func checkPassword(password string) error {
	if n := utf8.RuneCountInString(password); n < passwordMin || n > passwordMax {
		return fault.New(fault.Invalid, "a password has from %d to %d characters", passwordMin, passwordMax).WithField("password")
	}
	return nil
}

// newPassword returns a random password for a person to type once.
func newPassword() string {
	random := make([]byte, passwordBits/8)
	_, _ = rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// hashPassword returns the PHC string of a password:
// $argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>.
func (s *Store) hashPassword(ctx context.Context, password string) (string, error) {
	release, err := s.enterHashing(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return encodeHash(password), nil
}

func encodeHash(password string) string {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonLanes, argonLength)
	return argonHeader() + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(key)
}

func argonHeader() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, argonMemory, argonPasses, argonLanes)
}

// decoy is verified against when there is no such account, so that the answer
// takes as long as for one that exists.
var decoy = sync.OnceValue(func() string { return encodeHash(newPassword()) })

// verifyPassword reports whether password has the PHC hash encoded, and whether
// that hash was made with other parameters than today's.
func (s *Store) verifyPassword(ctx context.Context, password, encoded string) (ok, outdated bool, err error) {
	var version, memory, passes, lanes uint32
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, false, fmt.Errorf("a stored password hash is not argon2id")
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); err != nil {
		return false, false, fmt.Errorf("read a stored password hash: %w", err)
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, false, fmt.Errorf("read a stored password hash: %w", err)
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil {
		return false, false, fmt.Errorf("read a stored password hash: %w", err)
	}
	release, err := s.enterHashing(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	got := argon2.IDKey([]byte(password), salt, passes, memory, uint8(lanes), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, !strings.HasPrefix(encoded, argonHeader()), nil
}

// enterHashing waits for one of a few places: a hash takes 19 MiB, and without
// a bound a burst of logins would take all memory.
func (s *Store) enterHashing(ctx context.Context) (release func(), err error) {
	select {
	case s.hashing <- struct{}{}:
		return func() { <-s.hashing }, nil
	case <-ctx.Done():
		return nil, fault.Wrap(ctx.Err(), fault.Unavailable, "too many logins at once")
	}
}
