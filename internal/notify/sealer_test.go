package notify_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

func TestWhatIsSealedOpensOnlyInItsPlaceAndWithItsKey(t *testing.T) {
	sealer, err := notify.NewSealer(bytes.Repeat([]byte{1}, notify.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	other, _ := notify.NewSealer(bytes.Repeat([]byte{2}, notify.KeySize))
	sealed := sealer.Seal([]byte("xoxb-secret"), "row/1")
	if strings.Contains(sealed, "xoxb") || sealed == sealer.Seal([]byte("xoxb-secret"), "row/1") {
		t.Fatalf("sealed to %q", sealed)
	}
	if plain, err := sealer.Open(sealed, "row/1"); err != nil || string(plain) != "xoxb-secret" {
		t.Fatalf("opened %q, %v", plain, err)
	}
	f := func(s *notify.Sealer, text, place string) {
		t.Helper()
		if plain, err := s.Open(text, place); !fault.Is(err, fault.Internal) {
			t.Errorf("opened %q, %v", plain, err)
		}
	}
	f(sealer, sealed, "row/2")
	f(other, sealed, "row/1")
	f(sealer, sealed[:len(sealed)-4]+"AAAA", "row/1")
	f(sealer, `{"token": "never sealed"}`, "row/1")
	f(sealer, "gcm1:AAAA", "row/1")
}

func TestTheKeyFileIsMadeOnceAndKeptPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.key")
	sealers := make([]*notify.Sealer, 8)
	var wait sync.WaitGroup
	for i := range sealers {
		wait.Go(func() {
			var err error
			if sealers[i], err = notify.LoadSealer(path); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	sealed := sealers[0].Seal([]byte("x"), "")
	for _, s := range sealers {
		if _, err := s.Open(sealed, ""); err != nil {
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
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := notify.LoadSealer(path); !fault.Is(err, fault.Invalid) {
		t.Fatalf("a key others can read: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := notify.LoadSealer(path); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("a key that is none: %v", err)
	}
}
