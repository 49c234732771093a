package mask

import (
	"net/url"
	"slices"
	"strings"
)

// Personal are the classes of what a text tells of people, and of secrets.
func Personal() []Class {
	return []Class{Email, Phone, Resident, Card, Business, Account, Person, Secret, Cookie}
}

// Redact returns a text for somebody who may not read the given classes: each
// value of them is the name of its class in brackets, a literal a question mark.
// It finds what the scanner finds, also in the parts of addresses and paths, and
// leaves the tokens of sessions as they are. Nothing restores it. Without such a
// value it returns the text itself.
func Redact(text string, of ...Class) string {
	if len(text) < 4 {
		return text
	}
	work := borrow()
	defer work.giveBack()
	found := detect(work.first.spans[:0], text, nil)
	work.first.spans = found
	if len(found) == 0 {
		return text
	}
	sortSpans(found)
	var out strings.Builder
	at := 0
	for _, sp := range found {
		if sp.start < at {
			continue // within one that is replaced already
		}
		value, class := text[sp.start:sp.end], sp.class()
		var shown string
		switch {
		case ours(class, value):
			continue
		case slices.Contains(of, class):
			shown = redacted(class)
		case class == URL || class == Path || class == JDBCURL || class == Literal:
			if shown = redactParts(value, of); shown == value {
				continue
			}
		default:
			continue
		}
		out.WriteString(text[at:sp.start])
		out.WriteString(shown)
		at = sp.end
	}
	if at == 0 {
		return text
	}
	out.WriteString(text[at:])
	return out.String()
}

func redacted(class Class) string {
	if class == Literal {
		return "?"
	}
	return "[" + string(class) + "]"
}

// redactParts redacts the parts of an address, a path or a quoted value.
func redactParts(text string, of []Class) string {
	var out strings.Builder
	for len(text) > 0 {
		end := strings.IndexAny(text, "/?&=#;,\"' ")
		if end < 0 {
			end = len(text)
		}
		out.WriteString(redactPart(text[:end], of))
		if end < len(text) {
			out.WriteByte(text[end])
			end++
		}
		text = text[end:]
	}
	return out.String()
}

func redactPart(part string, of []Class) string {
	plain := part
	if strings.Contains(part, "%") {
		if decoded, err := url.QueryUnescape(part); err == nil {
			plain = decoded
		}
	}
	if len(plain) < 4 {
		return part
	}
	for _, sp := range detect(nil, plain, nil) {
		if class := sp.class(); slices.Contains(of, class) && !ours(class, plain[sp.start:sp.end]) {
			if plain != part || sp.end-sp.start == len(plain) {
				return redacted(class)
			}
			return plain[:sp.start] + redacted(class) + redactPart(plain[sp.end:], of)
		}
	}
	return part
}
