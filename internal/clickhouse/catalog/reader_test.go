package catalog_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/matrix-aiops/matrix/internal/clickhouse/catalog"
	"github.com/matrix-aiops/matrix/internal/project"
)

func TestAReaderAsksOnceForWhatIsStoredAndAgainForWhatIsNot(t *testing.T) {
	stored := map[project.ID]map[uint64]string{1: {10: "ten", 11: "eleven"}, 2: {10: "another project's"}}
	var asked [][]uint64
	var broken error
	r := catalog.NewReader(2, func(_ context.Context, p project.ID, ids []uint64) (map[uint64]string, error) {
		asked = append(asked, ids)
		found := map[uint64]string{}
		for _, id := range ids {
			if v, ok := stored[p][id]; ok {
				found[id] = v
			}
		}
		return found, broken
	})
	for _, step := range []struct {
		name  string
		p     project.ID
		ids   []uint64
		want  map[uint64]string
		asked []uint64
	}{
		{"the first time it reads, each id once", 1, []uint64{10, 10, 12}, map[uint64]string{10: "ten"}, []uint64{10, 12}},
		{"then what was missing only", 1, []uint64{10, 12}, map[uint64]string{10: "ten"}, []uint64{12}},
		{"an id of another project is another row", 2, []uint64{10}, map[uint64]string{10: "another project's"}, []uint64{10}},
		{"beyond what it may remember it forgets", 1, []uint64{11}, map[uint64]string{11: "eleven"}, []uint64{11}},
		{"and reads again", 1, []uint64{10, 11}, map[uint64]string{10: "ten", 11: "eleven"}, []uint64{10}},
		{"what it knows costs nothing", 1, []uint64{11, 10}, map[uint64]string{10: "ten", 11: "eleven"}, nil},
	} {
		asked = nil
		got, err := r.Read(t.Context(), step.p, step.ids)
		if err != nil || !maps.Equal(got, step.want) {
			t.Errorf("%s: %v, %v; want %v", step.name, got, err, step.want)
		}
		if was := slices.Concat(asked...); !slices.Equal(was, step.asked) {
			t.Errorf("%s: it asked for %v, not %v", step.name, was, step.asked)
		}
	}
	broken = errors.New("the engine is away")
	if _, err := r.Read(t.Context(), 3, []uint64{1}); !errors.Is(err, broken) {
		t.Errorf("an error of the engine became %v", err)
	}
}
