package secret

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// KeyFile is a Keeper whose master keys are lines of a file: the first is the
// current one, those below it only open what they sealed.
type KeyFile struct {
	current string
	ids     []string // in the order of the file
	keys    map[string][]byte
}

// NewKeyFile returns a KeyFile of keys of KeySize bytes, the current one first.
func NewKeyFile(keys ...[]byte) (*KeyFile, error) {
	if len(keys) == 0 {
		return nil, fault.New(fault.Invalid, "there is no secrets key")
	}
	f := &KeyFile{keys: map[string][]byte{}}
	for _, key := range keys {
		if len(key) != KeySize {
			return nil, fault.New(fault.Invalid, "the secrets key has %d bytes, it must have %d", len(key), KeySize)
		}
		// The id tells keys apart and tells nothing of them.
		sum := sha256.Sum256(append([]byte("matrix secrets key id\n"), key...))
		id := "file-" + hex.EncodeToString(sum[:6])
		f.ids, f.keys[id] = append(f.ids, id), key
	}
	f.current = f.ids[0]
	return f, nil
}

// LoadKeyFile reads keys, 64 hex digits a line, from a file that only its owner
// may read. A missing file is created with a random key.
func LoadKeyFile(path string) (*KeyFile, error) {
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
	var keys [][]byte
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := hex.DecodeString(line)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s does not hold secrets keys (64 hex digits a line)", path)
		}
		keys = append(keys, key)
	}
	return NewKeyFile(keys...)
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

// wrapPlace keeps a wrapped data key from being taken for a secret of its place.
func wrapPlace(place string) string { return "data key of " + place }

// Wrap implements Keeper.
func (f *KeyFile) Wrap(_ context.Context, dataKey []byte, place string) (id string, wrapped []byte, err error) {
	wrapped, err = encrypt(f.keys[f.current], dataKey, wrapPlace(place))
	return f.current, wrapped, err
}

// Unwrap implements Keeper.
func (f *KeyFile) Unwrap(_ context.Context, id string, wrapped []byte, place string) ([]byte, error) {
	key, known := f.keys[id]
	if !known {
		return nil, fault.New(fault.Internal, "a stored secret was sealed with the secrets key %s, which is not in the key file", id)
	}
	return decrypt(key, wrapped, wrapPlace(place))
}

// Current implements Keeper.
func (f *KeyFile) Current(context.Context) (string, error) { return f.current, nil }

// Derive returns a key of 32 bytes for one purpose, made of the current master key:
// it tells nothing of that and changes with it.
func (f *KeyFile) Derive(purpose string) []byte {
	mac := hmac.New(sha256.New, f.keys[f.current])
	mac.Write([]byte("matrix derived key\n" + purpose))
	return mac.Sum(nil)
}

func (f *KeyFile) openDirect(sealed []byte, place string) (plain []byte, err error) {
	for _, id := range f.ids {
		if plain, err = decrypt(f.keys[id], sealed, place); err == nil {
			return plain, nil
		}
	}
	return nil, err
}
