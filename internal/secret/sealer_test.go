package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/matrix-aiops/matrix/internal/fault"
)

func keyOf(b byte) []byte { return bytes.Repeat([]byte{b}, KeySize) }

func sealerOf(t *testing.T, keys ...byte) *Sealer {
	t.Helper()
	all := make([][]byte, len(keys))
	for i, b := range keys {
		all[i] = keyOf(b)
	}
	file, err := NewKeyFile(all...)
	if err != nil {
		t.Fatal(err)
	}
	return NewSealer(file)
}

func seal(t *testing.T, s *Sealer, plain, place string) string {
	t.Helper()
	sealed, err := s.Seal(t.Context(), []byte(plain), place)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestWhatIsSealedOpensOnlyInItsPlaceAndWithItsKey(t *testing.T) {
	sealer, other := sealerOf(t, 1), sealerOf(t, 2)
	sealed := seal(t, sealer, "xoxb-secret", "row/1")
	if strings.Contains(sealed, "xoxb") || sealed == seal(t, sealer, "xoxb-secret", "row/1") {
		t.Fatalf("sealed to %q", sealed)
	}
	if plain, err := sealer.Open(t.Context(), sealed, "row/1"); err != nil || string(plain) != "xoxb-secret" {
		t.Fatalf("opened %q, %v", plain, err)
	}
	f := func(s *Sealer, text, place string) {
		t.Helper()
		if plain, err := s.Open(t.Context(), text, place); !fault.Is(err, fault.Internal) {
			t.Errorf("opened %q, %v", plain, err)
		}
	}
	f(sealer, sealed, "row/2")
	f(other, sealed, "row/1")
	f(sealer, sealed[:len(sealed)-4]+"AAAA", "row/1")
	f(sealer, `{"token": "never sealed"}`, "row/1")
	f(sealer, "gcm1:AAAA", "row/1")
	f(sealer, "env1:x", "row/1")
	id, wrapped, _, err := parse(sealed)
	if err != nil {
		t.Fatal(err)
	}
	f(sealer, envelope(id, wrapped, nil), "row/1")
	// A wrapped data key is no secret of the place it belongs to.
	f(sealer, directPrefix+base64.StdEncoding.EncodeToString(wrapped), "row/1")
}

func TestAnotherMasterKeyOpensWhatTheOldOneSealedAndRewrapsIt(t *testing.T) {
	before, both, after := sealerOf(t, 1), sealerOf(t, 2, 1), sealerOf(t, 2)
	sealed := seal(t, before, "sk-1", "row/1")
	again, changed, err := both.Rewrap(t.Context(), sealed, "row/1")
	if err != nil || !changed {
		t.Fatalf("%v, %v", changed, err)
	}
	_, _, body1, _ := parse(sealed)
	if _, _, body2, _ := parse(again); !bytes.Equal(body1, body2) {
		t.Error("the secret was sealed anew, not only its data key")
	}
	if plain, err := after.Open(t.Context(), again, "row/1"); err != nil || string(plain) != "sk-1" {
		t.Errorf("opened %q, %v", plain, err)
	}
	if _, changed, err := both.Rewrap(t.Context(), again, "row/1"); err != nil || changed {
		t.Errorf("once more: %v, %v", changed, err)
	}
	if _, _, err := after.Rewrap(t.Context(), sealed, "row/1"); !fault.Is(err, fault.Internal) {
		t.Errorf("without the old key: %v", err)
	}
}

func TestWhatWasSealedBeforeThereWereDataKeysStillOpens(t *testing.T) {
	body, err := encrypt(keyOf(1), []byte("xoxb-old"), "row/1")
	if err != nil {
		t.Fatal(err)
	}
	old := directPrefix + base64.StdEncoding.EncodeToString(body)
	sealer := sealerOf(t, 2, 1)
	if plain, err := sealer.Open(t.Context(), old, "row/1"); err != nil || string(plain) != "xoxb-old" {
		t.Fatalf("opened %q, %v", plain, err)
	}
	again, changed, err := sealer.Rewrap(t.Context(), old, "row/1")
	if err != nil || !changed || !strings.HasPrefix(again, envelopePrefix) {
		t.Fatalf("%q, %v, %v", again, changed, err)
	}
	if plain, err := sealerOf(t, 2).Open(t.Context(), again, "row/1"); err != nil || string(plain) != "xoxb-old" {
		t.Errorf("opened %q, %v", plain, err)
	}
}

func TestTheKeyFileIsMadeOnceAndKeptPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.key")
	files := make([]*KeyFile, 8)
	var wait sync.WaitGroup
	for i := range files {
		wait.Go(func() {
			var err error
			if files[i], err = LoadKeyFile(path); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	sealed := seal(t, NewSealer(files[0]), "x", "")
	for _, f := range files {
		if _, err := NewSealer(f).Open(t.Context(), sealed, ""); err != nil {
			t.Fatal("two that started at once have different keys")
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".key-*")); len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}

	// A new line on top is the current key; the one below still opens.
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("# 2027\n"+hex.EncodeToString(keyOf(9))+"\n\n"+string(first)), 0o600); err != nil {
		t.Fatal(err)
	}
	rotated, err := LoadKeyFile(path)
	if err != nil || rotated.current == files[0].current {
		t.Fatalf("%v, %v", rotated, err)
	}
	if _, err := NewSealer(rotated).Open(t.Context(), sealed, ""); err != nil {
		t.Error(err)
	}

	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKeyFile(path); !fault.Is(err, fault.Invalid) {
		t.Fatalf("a key others can read: %v", err)
	}
	f := func(text string) {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKeyFile(path); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "hunter2") {
			t.Fatalf("a key that is none: %v", err)
		}
	}
	f("hunter2\n")
	f("")
	f("abcd\n")
}
