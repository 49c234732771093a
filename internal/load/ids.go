package load

import "iter"

// The ids of a run follow from its seed, the number of the request and the place in it: random to look at,
// never the same twice, and known to whoever checks afterwards what was stored.

// maxBatch bounds the spans of a request: ids count 1<<14 places for each.
const maxBatch = 1 << 14

// mix is the finaliser of splitmix64: a bijection, so that different places never get the same id.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func spanID(seed, request uint64, index int) uint64 {
	return mix(seed + request*maxBatch + uint64(index))
}

// traceID returns both halves of the id of a trace. The spans of a trace are in the requests of one group.
func traceID(seed, group uint64, index int) (uint64, uint64) {
	place := seed ^ 0x5bd1e9955bd1e995 + 2*(group*maxBatch+uint64(index))
	return mix(place), mix(place + 1)
}

// SpanIDs lists the ids of the spans in a request, as big-endian numbers.
func SpanIDs(seed, request uint64, spans int) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for i := range spans {
			if !yield(spanID(seed, request, i)) {
				return
			}
		}
	}
}
