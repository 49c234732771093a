package ai_test

import (
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// The API counts characters: what it lets through must not be refused behind it
// for being Korean.
func TestWhatPeopleWriteBesideAnEditIsBoundedInCharacters(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	fits, long := strings.Repeat("가", 1000), strings.Repeat("가", 1001)
	f := func(field string, edit func(text string) error) {
		t.Helper()
		if err := edit(fits); err != nil {
			t.Errorf("1000 characters of %s: %v", field, err)
		}
		if err := edit(long); !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("1001 characters of %s: %v", field, err)
		}
	}
	f("notes", func(text string) error {
		role, err := h.Roles().Get(t.Context(), ai.Shared, writer)
		if err != nil {
			return err
		}
		role.Notes = text
		_, err = h.Roles().Update(t.Context(), *role, true, ai.Meant, "kim")
		return err
	})
	f("reason", func(text string) error {
		_, err := h.Roles().SetLabel(t.Context(), ai.Shared, writer, ai.Label{Name: "candidate", Version: 1}, ai.Meant, "kim", text)
		return err
	})
	f("reason", func(text string) error {
		masking, err := h.Masking(t.Context(), shop)
		if err != nil {
			return err
		}
		masking.Reason = text
		_, err = h.SetMasking(t.Context(), shop, *masking, "kim")
		return err
	})
	f("reason", func(text string) error {
		return h.Trip(t.Context(), ai.Shared, ai.Circuit{Provider: "openai", Model: "gpt-4.1-mini", Key: "main", Reason: text}, "kim")
	})
}
