package clickhouse

import "strings"

// statements splits a script at the semicolons outside of quotes and comments.
// Pieces that hold nothing but space and comments are left out.
func statements(script string) []string {
	var found []string
	start, substance := 0, false
	take := func(end int) {
		if text := strings.TrimSpace(script[start:end]); substance && text != "" {
			found = append(found, text)
		}
		start, substance = end+1, false
	}
	for i := 0; i < len(script); {
		switch c := script[i]; {
		case c == ';':
			take(i)
			i++
		case strings.HasPrefix(script[i:], "--"):
			i += upTo(script[i:], "\n")
		case strings.HasPrefix(script[i:], "/*"):
			i += 2 + upTo(script[i+2:], "*/")
		case c == '\'' || c == '"' || c == '`':
			substance = true
			i += quoted(script[i:])
		default:
			if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
				substance = true
			}
			i++
		}
	}
	take(len(script))
	return found
}

// upTo returns the length of text up to and including mark, or all of it.
func upTo(text, mark string) int {
	if i := strings.Index(text, mark); i >= 0 {
		return i + len(mark)
	}
	return len(text)
}

// quoted returns the length of the quoted piece text starts with. A backslash
// escapes the next byte; a doubled quote reads as two pieces in a row, which
// comes to the same.
func quoted(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[0]:
			return i + 1
		}
	}
	return len(text)
}
