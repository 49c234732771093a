package secret

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// KeySize is the length in bytes of master keys and data keys.
const KeySize = 32

// The prefixes version the format, so that another cipher can be added without
// touching what is stored.
const (
	envelopePrefix = "env1:" // env1:<id of the master key>:<wrapped data key>:<sealed>, both base64
	directPrefix   = "gcm1:" // gcm1:<sealed with the master key itself>, as it was before; still opened
)

// Keeper is the seam to what keeps master keys. Implementations are safe for
// concurrent use. Their errors hold neither key nor secret.
type Keeper interface {
	// Wrap encrypts a data key with the current master key and names that one.
	// An id has no colon in it. Unwrap with another place fails.
	Wrap(ctx context.Context, dataKey []byte, place string) (id string, wrapped []byte, err error)
	// Unwrap decrypts what Wrap returned, also when the current master key is
	// another one by now.
	Unwrap(ctx context.Context, id string, wrapped []byte, place string) ([]byte, error)
	// Current returns the id of the key that Wrap would use.
	Current(ctx context.Context) (string, error)
}

// Sealer seals and opens secrets. All nodes on one database need the same keys.
type Sealer struct{ keeper Keeper }

// NewSealer returns a Sealer whose data keys the keeper wraps.
func NewSealer(keeper Keeper) *Sealer { return &Sealer{keeper} }

// Seal encrypts plain. place says where it is stored; Open with another place
// fails, so a sealed text copied into another row is worth nothing.
func (s *Sealer) Seal(ctx context.Context, plain []byte, place string) (string, error) {
	dataKey := make([]byte, KeySize)
	rand.Read(dataKey)
	id, wrapped, err := s.keeper.Wrap(ctx, dataKey, place)
	if err != nil {
		return "", fmt.Errorf("wrap data key: %w", err)
	}
	sealed, err := encrypt(dataKey, plain, place)
	if err != nil {
		return "", err
	}
	return envelope(id, wrapped, sealed), nil
}

func envelope(id string, wrapped, sealed []byte) string {
	return envelopePrefix + id + ":" + base64.StdEncoding.EncodeToString(wrapped) + ":" + base64.StdEncoding.EncodeToString(sealed)
}

// parse takes a sealed text apart.
func parse(sealed string) (id string, wrapped, body []byte, err error) {
	rest, ok := strings.CutPrefix(sealed, envelopePrefix)
	parts := strings.Split(rest, ":")
	if !ok || len(parts) != 3 {
		return "", nil, nil, damaged()
	}
	wrapped, err1 := base64.StdEncoding.DecodeString(parts[1])
	body, err2 := base64.StdEncoding.DecodeString(parts[2])
	if err1 != nil || err2 != nil {
		return "", nil, nil, damaged()
	}
	return parts[0], wrapped, body, nil
}

func damaged() error { return fault.New(fault.Internal, "a stored secret is damaged") }

// Open decrypts what Seal returned for the same place.
func (s *Sealer) Open(ctx context.Context, sealed, place string) ([]byte, error) {
	if strings.HasPrefix(sealed, directPrefix) {
		return s.openDirect(ctx, sealed, place)
	}
	id, wrapped, body, err := parse(sealed)
	if err != nil {
		return nil, err
	}
	dataKey, err := s.keeper.Unwrap(ctx, id, wrapped, place)
	if err != nil {
		return nil, fmt.Errorf("unwrap data key: %w", err)
	}
	return decrypt(dataKey, body, place)
}

// direct is a Keeper that also opens what its keys sealed without a data key.
type direct interface {
	openDirect(sealed []byte, place string) ([]byte, error)
}

func (s *Sealer) openDirect(_ context.Context, sealed, place string) ([]byte, error) {
	body, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sealed, directPrefix))
	if err != nil {
		return nil, damaged()
	}
	keeper, ok := s.keeper.(direct)
	if !ok {
		return nil, fault.New(fault.Internal, "a stored secret was sealed with a key file, which is not in use any more")
	}
	return keeper.openDirect(body, place)
}

// Prefix is what every text begins with that is sealed under the current master
// key, so that others are found without reading them.
func (s *Sealer) Prefix(ctx context.Context) (string, error) {
	id, err := s.keeper.Current(ctx)
	return envelopePrefix + id + ":", err
}

// Rewrap returns the text with its data key under the current master key, and
// whether that changed it. The secret itself is sealed anew only where it had
// no data key yet.
func (s *Sealer) Rewrap(ctx context.Context, sealed, place string) (string, bool, error) {
	if strings.HasPrefix(sealed, directPrefix) {
		plain, err := s.Open(ctx, sealed, place)
		if err != nil {
			return "", false, err
		}
		again, err := s.Seal(ctx, plain, place)
		return again, true, err
	}
	id, wrapped, body, err := parse(sealed)
	if err != nil {
		return "", false, err
	}
	current, err := s.keeper.Current(ctx)
	if err != nil || current == id {
		return sealed, false, err
	}
	dataKey, err := s.keeper.Unwrap(ctx, id, wrapped, place)
	if err != nil {
		return "", false, fmt.Errorf("unwrap data key: %w", err)
	}
	id, wrapped, err = s.keeper.Wrap(ctx, dataKey, place)
	if err != nil {
		return "", false, fmt.Errorf("wrap data key: %w", err)
	}
	return envelope(id, wrapped, body), true, nil
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// encrypt is AES-256-GCM with a random nonce in front.
func encrypt(key, plain []byte, place string) ([]byte, error) {
	aead, err := gcm(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, plain, []byte(place)), nil
}

func decrypt(key, sealed []byte, place string) ([]byte, error) {
	aead, err := gcm(key)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "a stored secret is damaged")
	}
	if len(sealed) < aead.NonceSize() {
		return nil, damaged()
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(place))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "a stored secret does not open: it was sealed with another secrets key, or for another place")
	}
	return plain, nil
}
