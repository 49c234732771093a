package memo_test

import (
	"errors"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/memo"
)

func TestWhatWasReadCountsForAMomentAndNotBeyondAnEdit(t *testing.T) {
	var m memo.Memo[string, int]
	now, reads := time.Now(), 0
	get := func(edits int64, after time.Duration) int {
		t.Helper()
		value, err := m.Get("a", edits, now.Add(after), func() (int, error) { reads++; return reads, nil })
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	for _, c := range []struct {
		edits int64
		after time.Duration
		want  int
	}{
		{0, 0, 1}, {0, memo.Within - 1, 1}, {0, memo.Within + memo.Renew, 2}, {1, memo.Within + memo.Renew, 3}, {1, memo.Within + memo.Renew + 1, 3},
	} {
		if got := get(c.edits, c.after); got != c.want {
			t.Errorf("after %s and %d edits: reading %d, want %d", c.after, c.edits, got, c.want)
		}
	}
}

func TestOneReadsAnewWhileTheOthersGoOn(t *testing.T) {
	var m memo.Memo[string, string]
	now := time.Now()
	read := func(value string) func() (string, error) { return func() (string, error) { return value, nil } }
	if _, err := m.Get("a", 0, now, read("old")); err != nil {
		t.Fatal(err)
	}
	late := now.Add(memo.Within)
	got, err := m.Get("a", 0, late, func() (string, error) {
		other, err := m.Get("a", 0, late, func() (string, error) { return "", errors.New("it reads as well") })
		if err != nil || other != "old" {
			t.Errorf("another got %q, %v", other, err)
		}
		return "new", nil
	})
	if err != nil || got != "new" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := m.Get("a", 0, late, read("newer")); err != nil || got != "new" {
		t.Errorf("afterwards %q, %v", got, err)
	}
}

func TestWhatWasNotFoundIsNotRemembered(t *testing.T) {
	var m memo.Memo[string, int]
	now, gone := time.Now(), errors.New("gone")
	if _, err := m.Get("a", 0, now, func() (int, error) { return 0, gone }); !errors.Is(err, gone) {
		t.Errorf("err %v", err)
	}
	if got, err := m.Get("a", 0, now, func() (int, error) { return 1, nil }); err != nil || got != 1 {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestWhatWasReadDuringAnEditDoesNotCountAfterIt(t *testing.T) {
	var m memo.Memo[string, int]
	now, edits := time.Now(), int64(0)
	if _, err := m.Get("a", edits, now, func() (int, error) { edits++; return 1, nil }); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Get("a", edits, now, func() (int, error) { return 2, nil }); err != nil || got != 2 {
		t.Errorf("got %d, %v", got, err)
	}
}
