package mask

// automaton finds a set of folded keywords of three bytes at least in one pass (Aho and Corasick).
type automaton struct {
	class [256]uint8 // bytes of no keyword share class 0
	width int
	next  []uint16 // state*width + class → state
	ends  []int32  // by state: the keyword that ends there, -1 for none
	fail  []int32  // by state: the next shorter state where a keyword ends, 0 for none

	begins [1 << (beginBits - 6)]uint64 // a bit for the first three bytes of a few keywords
}

// beginBits is so large that few places of a text look like the beginning of a keyword.
const beginBits = 13

// beginBit returns the bit of three bytes, whatever the case of letters.
func beginBit(three uint32) uint32 {
	const odd = 0x9E3779B1 // 2^32 divided by the golden ratio
	return (three | 0x202020) * odd >> (32 - beginBits)
}

func newAutomaton(words []string) *automaton {
	a := &automaton{width: 1}
	for _, w := range words {
		bit := beginBit(uint32(w[0]) | uint32(w[1])<<8 | uint32(w[2])<<16)
		a.begins[bit>>6] |= 1 << (bit & 63)
		for i := range len(w) {
			if a.class[w[i]] == 0 {
				a.class[w[i]] = uint8(a.width)
				a.width++
			}
		}
	}
	for c := byte('a'); c <= 'z'; c++ {
		a.class[c-('a'-'A')] = a.class[c]
	}
	grow := func() int32 {
		a.next = append(a.next, make([]uint16, a.width)...)
		a.ends = append(a.ends, -1)
		a.fail = append(a.fail, 0)
		return int32(len(a.ends) - 1)
	}
	grow()
	for k, w := range words {
		state := int32(0)
		for i := range len(w) {
			at := int(state)*a.width + int(a.class[w[i]])
			if a.next[at] == 0 {
				made := grow()
				a.next[at] = uint16(made)
			}
			state = int32(a.next[at])
		}
		a.ends[state] = int32(k)
	}
	links := make([]int32, len(a.ends))
	var queue []int32
	for c := range a.width {
		if s := int32(a.next[c]); s != 0 {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if link := links[s]; a.ends[link] >= 0 {
			a.fail[s] = link
		} else {
			a.fail[s] = a.fail[link]
		}
		for c := range a.width {
			at := int(s)*a.width + c
			if t := int32(a.next[at]); t != 0 {
				links[t] = int32(a.next[int(links[s])*a.width+c])
				queue = append(queue, t)
			} else {
				a.next[at] = a.next[int(links[s])*a.width+c]
			}
		}
	}
	return a
}

// find calls yield for every keyword in text, with the offset behind it.
func (a *automaton) find(text string, yield func(keyword, end int)) {
	state := int32(0)
	for i := 0; i < len(text); i++ {
		if state == 0 {
			i = a.skip(text, i)
			if i == len(text) {
				return
			}
		}
		state = int32(a.next[int(state)*a.width+int(a.class[text[i]])])
		for s := state; s != 0; s = a.fail[s] {
			if a.ends[s] >= 0 {
				yield(int(a.ends[s]), i+1)
			}
		}
	}
}

// skip returns the next place from i on where a keyword may begin, the length of text for none.
func (a *automaton) skip(text string, i int) int {
	if i+2 >= len(text) {
		return len(text)
	}
	three := uint32(text[i])<<8 | uint32(text[i+1])<<16
	for ; i+2 < len(text); i++ {
		three = three>>8 | uint32(text[i+2])<<16
		if bit := beginBit(three); a.begins[bit>>6]>>(bit&63)&1 != 0 {
			return i
		}
	}
	return len(text)
}
