package mask

// pairFilter tells of most pairs of bytes that they are not in a set: one bit is
// for a few of them.
type pairFilter [1 << (pairBits - 6)]uint64

// pairBits is so large that most pairs have a bit of their own among those that begin strings.
const pairBits = 12

func pairOf(first, second byte) uint32 { return uint32(first)<<8 | uint32(second) }

func pairBit(pair uint32) uint32 { return (pair ^ pair>>5) & (1<<pairBits - 1) }

func (f *pairFilter) add(pair uint32) { f[pairBit(pair)>>6] |= 1 << (pairBit(pair) & 63) }

func (f *pairFilter) has(pair uint32) bool {
	bit := pairBit(pair)
	return f[bit>>6]>>(bit&63)&1 != 0
}

// skip returns the next place from i on where a pair may be one of the set, the length of text for none.
func (f *pairFilter) skip(text string, i int) int {
	if i+1 >= len(text) {
		return len(text)
	}
	pair := uint32(text[i])
	for i++; i < len(text); i++ {
		if pair = pair&0xff<<8 | uint32(text[i]); f.has(pair) {
			return i - 1
		}
	}
	return len(text)
}
