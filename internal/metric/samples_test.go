package metric

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestWhateverOrderSamplesArriveInASeriesHasEachTimeOnceAndTheLastWritten(t *testing.T) {
	const seriesCount = 3
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		c := newColumns(seriesCount)
		want := make([]map[int64]float64, seriesCount)
		for i := range want {
			want[i] = map[int64]float64{}
		}
		// Parts are written one after the other, and read in any order and piece by piece.
		var pieces []stretch
		for written := range uint32(1 + rng.IntN(5)) {
			for series := range seriesCount {
				at := rng.Int64N(60)
				begin := c.rows()
				for range rng.IntN(12) {
					at += 1 + rng.Int64N(4)
					v := rng.Float64()
					c.time, c.value = append(c.time, at), append(c.value, v)
					c.encoded = append(c.encoded, make([]byte, rng.IntN(3))...)
					c.encoded = append(c.encoded, byte(at))
					c.encodedEnds = append(c.encodedEnds, len(c.encoded))
					want[series][at] = v
				}
				for begin < c.rows() {
					end := begin + 1 + rng.IntN(c.rows()-begin)
					pieces = append(pieces, stretch{span: span{begin, end}, series: series, written: written})
					begin = end
				}
			}
		}
		rng.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		c.arrived = pieces
		c.arrange()
		for series, s := range c.spans {
			times := slices.Sorted(maps.Keys(want[series]))
			if got := c.time[s.begin:s.end]; !slices.Equal(got, times) {
				t.Fatalf("seed %d: series %d has samples at %v, not %v", seed, series, got, times)
			}
			for i := s.begin; i < s.end; i++ {
				if got, at := c.value[i], c.time[i]; got != want[series][at] {
					t.Fatalf("seed %d: series %d at %d is %v, not %v", seed, series, at, got, want[series][at])
				}
				if h := c.histogram(i); h[len(h)-1] != byte(c.time[i]) {
					t.Fatalf("seed %d: the histogram at %d is another one's", seed, c.time[i])
				}
			}
		}
		c.release() // what the next one gets holds nothing of it
	}
}
