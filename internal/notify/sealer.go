package notify

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// sealedPrefix versions the format, so that another cipher can be added
// without touching what is stored.
const sealedPrefix = "gcm1:"

// KeySize is the length in bytes of a sealer's key.
const KeySize = 32

// Sealer encrypts what must not be readable in a copy of the metadata
// database, with AES-256-GCM. All nodes on one database need the same key.
type Sealer struct{ aead cipher.AEAD }

// NewSealer returns a Sealer for a key of KeySize bytes.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != KeySize {
		return nil, fault.New(fault.Invalid, "the secrets key has %d bytes, it must have %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead}, nil
}

// LoadSealer reads the key, 64 hex digits, from a file that only its owner may
// read. A missing file is created with a random key.
func LoadSealer(path string) (*Sealer, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createKey(path); err != nil {
			return nil, fmt.Errorf("create secrets key: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read secrets key: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fault.New(fault.Invalid, "%s can be read by others: chmod 600 it", path)
	}
	var key []byte
	if _, err := fmt.Sscanf(strings.TrimSpace(string(text)), "%x", &key); err != nil {
		return nil, fault.New(fault.Invalid, "%s does not hold a secrets key (64 hex digits)", path)
	}
	return NewSealer(key)
}

// createKey writes a complete file and then links it into place, which fails
// when another process was first: two that start at once agree on one key.
func createKey(path string) error {
	key := make([]byte, KeySize)
	rand.Read(key)
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone after the link was made or not
	_, err = fmt.Fprintf(f, "%x\n", key)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Seal encrypts plain. place says where it is stored; Open with another place
// fails, so a sealed text copied into another row is worth nothing.
func (s *Sealer) Seal(plain []byte, place string) string {
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(plain)+s.aead.Overhead())
	rand.Read(nonce)
	return sealedPrefix + base64.StdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, []byte(place)))
}

// Open decrypts what Seal returned for the same place.
func (s *Sealer) Open(sealed, place string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(sealed, sealedPrefix)
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(raw) < s.aead.NonceSize() {
		return nil, fault.New(fault.Internal, "a stored secret is damaged")
	}
	plain, err := s.aead.Open(nil, raw[:s.aead.NonceSize()], raw[s.aead.NonceSize():], []byte(place))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "a stored secret does not open: it was sealed with another secrets key")
	}
	return plain, nil
}
