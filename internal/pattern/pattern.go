// Package pattern tells what texts of one template have in common: lines of a
// log, messages of exceptions.
package pattern

import "unicode/utf8"

// maxLength is how many bytes of a body make its pattern: what lines have in
// common stands at their beginning, and a stack trace is not read to its end.
const maxLength = 1 << 10

// Variable stands in a pattern for what varies.
const Variable = "<*>"

// Append appends the pattern of a body: its first line with everything
// replaced by Variable that looks like a value and not like words of the
// program. Values are what contains a digit (numbers, times, ids, addresses,
// durations), what stands in quotes, and what follows an equals sign. Several
// values in a row, however many, are one.
//
// This is the masking step of log parsers such as Drain (He et al., ICWS 2017,
// https://doi.org/10.1109/ICWS.2017.13) without its tree: lines of one template
// that differ in a word of letters alone stay apart.
func Append(dst, body []byte) []byte {
	body = firstLine(body)
	from := len(dst)
	variable := func() {
		if n := len(dst); n-from >= len(Variable) && string(dst[n-len(Variable):]) == Variable {
			return
		}
		if n := len(dst); n-from > len(Variable) && dst[n-1] == ' ' && string(dst[n-1-len(Variable):n-1]) == Variable {
			dst = dst[:n-1]
			return
		}
		dst = append(dst, Variable...)
	}
	for i := 0; i < len(body); {
		c := body[i]
		switch {
		case c == ' ' || c == '\t':
			for i < len(body) && (body[i] == ' ' || body[i] == '\t') {
				i++
			}
			if len(dst) > from {
				dst = append(dst, ' ')
			}
		case c == '"' || c == '\'':
			end := closing(body, i)
			if end < 0 { // an apostrophe
				dst = append(dst, c)
				i++
				continue
			}
			if end+1 < len(body) && body[end+1] == ':' { // a key of JSON is a word of the program
				dst = append(dst, body[i:end+1]...)
			} else {
				variable()
			}
			i = end + 1
		case c == '=':
			dst = append(dst, c)
			i++
			if i < len(body) && isWord(body[i]) {
				for i < len(body) && isWord(body[i]) {
					i++
				}
				variable()
			}
		case isWord(c):
			start, digit := i, false
			for i < len(body) && isWord(body[i]) {
				digit = digit || body[i] >= '0' && body[i] <= '9'
				i++
			}
			if digit {
				variable()
			} else {
				dst = append(dst, body[start:i]...)
			}
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}

// firstLine is the first line of a body that has anything in it, within maxLength.
func firstLine(body []byte) []byte {
	for len(body) > 0 && body[0] <= ' ' {
		body = body[1:]
	}
	end := min(len(body), maxLength)
	for end < len(body) && end > 0 && !utf8.RuneStart(body[end]) {
		end--
	}
	for i, c := range body[:end] {
		if c == '\n' || c == '\r' {
			return body[:i]
		}
	}
	return body[:end]
}

// closing is where the quote opened at i is closed, -1 when it is not, or when
// it stands inside of a word and so is an apostrophe.
func closing(body []byte, i int) int {
	quote := body[i]
	if quote == '\'' && i > 0 && isWord(body[i-1]) {
		return -1
	}
	for j := i + 1; j < len(body); j++ {
		switch body[j] {
		case '\\':
			j++
		case quote:
			return j
		}
	}
	return -1
}

// isWord says what belongs to one token: letters of any script, digits, and what
// joins the parts of numbers, times, ids, paths and addresses.
func isWord(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= utf8.RuneSelf:
		return true
	}
	switch c {
	case '_', '-', '.', '@', '%', '+', '#', '$', '~':
		return true
	}
	return false
}
