package otel

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// Limits on what one span or log record may store. What is longer is cut and
// says so at the cut; what is more is dropped and counted. Lengths in bytes.
const (
	MaxAttributes  = 128
	MaxKeyLength   = 256
	MaxNameLength  = 1 << 10 // names, services, routes: whatever is grouped by
	MaxValueLength = 4 << 10
	MaxStackLength = 32 << 10
)

// Attribute is a key and its value as text.
type Attribute struct{ Key, Value []byte }

// Scratch holds values that had to be rewritten: cut, repaired or joined. Values
// it returned live until Reset.
type Scratch struct{ buf []byte }

// maxScratch is the capacity in bytes that is kept by Reset.
const maxScratch = 1 << 20

// Reset forgets all values.
func (s *Scratch) Reset() {
	s.buf = s.buf[:0]
	if cap(s.buf) > maxScratch {
		s.buf = nil
	}
}

// Clean returns v as valid UTF-8 of at most limit bytes; what was cut is said
// at the end of the value.
func (s *Scratch) Clean(v []byte, limit int) []byte {
	if len(v) == 0 { // most columns of most rows; this much is inlined
		return v
	}
	return s.cleaned(v, limit)
}

func (s *Scratch) cleaned(v []byte, limit int) []byte {
	if len(v) <= limit && utf8.Valid(v) {
		return v
	}
	kept := v
	if len(v) > limit {
		n := limit
		for n > 0 && n > limit-utf8.UTFMax && !utf8.RuneStart(v[n]) {
			n--
		}
		kept = v[:n]
	}
	at := len(s.buf)
	s.buf = append(s.buf, bytes.ToValidUTF8(kept, []byte("\uFFFD"))...)
	if cut := len(v) - len(kept); cut > 0 {
		s.buf = append(s.buf, "…[truncated "...)
		s.buf = strconv.AppendInt(s.buf, int64(cut), 10)
		s.buf = append(s.buf, " bytes]"...)
	}
	return s.since(at)
}

// Join returns the parts as one value.
func (s *Scratch) Join(a []byte, sep byte, b []byte) []byte {
	at := len(s.buf)
	s.buf = append(s.buf, a...)
	s.buf = append(s.buf, sep)
	s.buf = append(s.buf, b...)
	return s.since(at)
}

// Concat returns the parts as one value.
func (s *Scratch) Concat(a, b, c []byte) []byte {
	at := len(s.buf)
	s.buf = append(s.buf, a...)
	s.buf = append(s.buf, b...)
	s.buf = append(s.buf, c...)
	return s.since(at)
}

func (s *Scratch) since(at int) []byte { return s.buf[at:len(s.buf):len(s.buf)] }

// AppendJSONString appends s, which must be valid UTF-8, as a JSON string.
func AppendJSONString(dst, s []byte) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i, c := range s {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}
