package logs

import (
	"bytes"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Severity is how grave a record is, in OTLP's numbers: 1 to 24, 0 unknown.
// https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
type Severity uint8

// The first number of each level; a level has four.
const (
	Unknown Severity = 0
	Trace   Severity = 1
	Debug   Severity = 5
	Info    Severity = 9
	Warn    Severity = 13
	Error   Severity = 17
	Fatal   Severity = 21
)

// Levels are the names of the levels, least grave first; "unknown" is before all.
var Levels = []string{"unknown", "trace", "debug", "info", "warn", "error", "fatal"}

// Level is the name of the severity's level.
func (s Severity) Level() string {
	if s == 0 || s > 24 {
		return Levels[0]
	}
	return Levels[1+(s-1)/4]
}

// ParseLevel returns the first severity of a named level and the first behind it.
func ParseLevel(name string) (from, behind Severity, err error) {
	name = strings.ToLower(name)
	if s := severityOf([]byte(name)); s != Unknown {
		return s, s + 4, nil
	}
	if name == Levels[0] {
		return 0, 1, nil
	}
	return 0, 0, fault.New(fault.Invalid, "there is no level %q: it is one of %s", name, strings.Join(Levels, ", "))
}

// severityOf reads the names that the loggers of this world give their levels.
func severityOf(word []byte) Severity {
	if len(word) > 13 {
		return Unknown
	}
	var lower [13]byte
	for i, c := range word {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	switch string(lower[:len(word)]) {
	case "trace", "verbose", "finest", "finer", "silly":
		return Trace
	case "debug", "dbg", "fine":
		return Debug
	case "info", "inf", "information", "informational", "notice", "config":
		return Info
	case "warn", "warning", "wrn":
		return Warn
	case "error", "err", "severe":
		return Error
	case "fatal", "ftl", "critical", "crit", "alert", "emerg", "emergency", "panic":
		return Fatal
	}
	return Unknown
}

// The beginning of a line in which a level is looked for, in bytes.
const severityWithin = 160

// detectSeverity finds the level in a body whose sender names none: an upper-case
// word of its own near the beginning, as in "12:00:01 ERROR [main] …", or the value
// of a key level, lvl or severity, in logfmt or JSON.
func detectSeverity(body []byte) Severity {
	head := body[:min(len(body), severityWithin)]
	for i := 0; i < len(head); {
		if !isLetter(head[i]) {
			i++
			continue
		}
		start := i
		for i < len(head) && isLetter(head[i]) {
			i++
		}
		if i == len(head) && len(body) > len(head) {
			return Unknown // the word goes on
		}
		word := head[start:i]
		if bytes.Equal(word, bytes.ToUpper(word)) && (start == 0 || !joins(head[start-1])) && (i == len(head) || !joins(head[i])) {
			if s := severityOf(word); s != Unknown {
				return s
			}
		}
		switch string(bytes.ToLower(word)) {
		case "level", "lvl", "severity":
			if s := severityOf(valueAfter(head[i:])); s != Unknown {
				return s
			}
		}
	}
	return Unknown
}

// valueAfter is the word behind = or :, in quotes or not.
func valueAfter(b []byte) []byte {
	b = bytes.TrimLeft(b, `" `)
	if len(b) == 0 || b[0] != '=' && b[0] != ':' {
		return nil
	}
	b = bytes.TrimLeft(b[1:], `" `)
	n := 0
	for n < len(b) && isLetter(b[n]) {
		n++
	}
	return b[:n]
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// joins says that a word goes on in this character: ERROR_CODE is no level.
func joins(c byte) bool { return c == '_' || c == '-' || c == '.' || c == '/' || c >= '0' && c <= '9' }
