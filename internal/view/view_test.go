package view_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/view"
)

func TestAViewIsSharedAndItsOwnersToChange(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx, now := t.Context(), time.Date(2025, 6, 17, 14, 3, 0, 0, time.UTC)
		store := view.NewStore(db, func() time.Time { return now })
		kim, lee, editor := view.Author{ID: 1, Name: "Kim"}, view.Author{ID: 2, Name: "Lee"}, view.Author{ID: 3, Name: "Park", All: true}
		refused := func(err error, kind fault.Kind) {
			t.Helper()
			if !fault.Is(err, kind) {
				t.Errorf("%v, want %v", err, kind)
			}
		}
		v, err := store.Create(ctx, 1, kim, view.View{Kind: "transactions", Name: " slow ", Query: "duration>2s "})
		if err != nil {
			t.Fatal(err)
		}
		if v.ID == 0 || v.Name != "slow" || v.Query != "duration>2s" || v.Owner != "Kim" || v.Version != 1 || !v.CreatedAt.Equal(now) {
			t.Errorf("%+v", v)
		}
		_, err = store.Create(ctx, 1, lee, view.View{Kind: "transactions", Name: "slow", Query: "status:error"})
		refused(err, fault.Conflict)
		if _, err = store.Create(ctx, 1, lee, view.View{Kind: "logs", Name: "slow", Query: "timeout"}); err != nil {
			t.Error(err)
		}
		if _, err = store.Create(ctx, 2, lee, view.View{Kind: "transactions", Name: "slow", Query: "status:error"}); err != nil {
			t.Error(err)
		}
		for _, wrong := range []view.View{{Kind: "dreams", Name: "a", Query: "b"}, {Kind: "logs", Query: "b"}, {Kind: "logs", Name: "a"},
			{Kind: "logs", Name: strings.Repeat("가", 101), Query: "b"}, {Kind: "logs", Name: "a", Query: strings.Repeat("b", 2001)}} {
			_, err = store.Create(ctx, 1, kim, wrong)
			refused(err, fault.Invalid)
		}

		list, err := store.List(ctx, 1, "transactions")
		if err != nil || len(list) != 1 || list[0] != v {
			t.Errorf("%+v, %v", list, err)
		}
		_, err = store.Update(ctx, 1, lee, v.ID, 1, "mine", "x y z")
		refused(err, fault.Denied)
		_, err = store.Update(ctx, 2, kim, v.ID, 1, "mine", "x y z")
		refused(err, fault.NotFound)
		if v, err = store.Update(ctx, 1, editor, v.ID, 1, "slower", "duration>5s"); err != nil || v.Version != 2 || v.Owner != "Kim" || v.Query != "duration>5s" {
			t.Errorf("%+v, %v", v, err)
		}
		_, err = store.Update(ctx, 1, kim, v.ID, 1, "slow", "duration>3s")
		refused(err, fault.Conflict)
		refused(store.Delete(ctx, 1, lee, v.ID), fault.Denied)
		refused(store.Delete(ctx, 2, kim, v.ID), fault.NotFound)
		if err := store.Delete(ctx, 1, kim, v.ID); err != nil {
			t.Error(err)
		}
		if list, err = store.List(ctx, 1, "transactions"); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		if err := db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error { return view.Erase(ctx, tx, 1) }); err != nil {
			t.Error(err)
		}
		if list, err = store.List(ctx, 1, "logs"); err != nil || len(list) != 0 {
			t.Errorf("an erased project still has %+v, %v", list, err)
		}
		if list, err = store.List(ctx, 2, "transactions"); err != nil || len(list) != 1 {
			t.Errorf("its neighbour has %+v, %v", list, err)
		}
	})
}
