package mask

import (
	"encoding/binary"
	"slices"
	"unsafe"
)

// Folding lowers ASCII letters only, so that offsets stay those of the original.

// lower is the ASCII letter of a byte in lower case.
var lower = func() (l [256]byte) {
	for b := range 256 {
		l[b] = byte(b)
		if b >= 'A' && b <= 'Z' {
			l[b] += 'a' - 'A'
		}
	}
	return l
}()

// fold8 folds eight bytes at once.
func fold8(x uint64) uint64 {
	const ones = 0x0101010101010101
	seven := x & (0x7f * ones)
	fromA := seven + (0x80-'A')*ones // the highest bit of a byte says: not below A
	overZ := seven + (0x7f-'Z')*ones
	return x | (fromA^overZ)&^x&(0x80*ones)>>2
}

// fold returns s folded: s itself when nothing of it changes.
func fold(s string) string {
	if !capitals(s) {
		return s
	}
	return inPlace(appendFold(make([]byte, 0, len(s)), s))
}

// appendFold appends s folded.
func appendFold(to []byte, s string) []byte {
	from := len(to)
	to = append(slices.Grow(to, len(s)), s...)
	b := to[from:]
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, fold8(binary.LittleEndian.Uint64(b)))
	}
	for i, c := range b {
		b[i] = lower[c]
	}
	return to
}

// sameFolded says that two texts are the same but for the case of ASCII letters.
func sameFolded(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lower[a[i]] != lower[b[i]] {
			return false
		}
	}
	return true
}

// capitals says that a text has ASCII letters that fold changes.
func capitals(s string) bool {
	for i := range len(s) {
		if lower[s[i]] != s[i] {
			return true
		}
	}
	return false
}

// raise is the upper-case counterpart of fold.
func raise(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

// inPlace is b as a string without a copy: good until b changes.
func inPlace(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
