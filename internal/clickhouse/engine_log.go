package clickhouse

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"strings"
	"sync"
)

// engineLog takes what the child prints: lines with a level go to the log, and
// the last lines of any kind are kept to explain a failed start.
type engineLog struct {
	log *slog.Logger

	mu      sync.Mutex
	partial []byte
	last    []string
}

const (
	keptLines  = 20
	maxLogLine = 1000 // bytes
)

// Write implements io.Writer. It never fails.
func (l *engineLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		i := bytes.IndexByte(l.partial, '\n')
		if i < 0 {
			break
		}
		l.line(string(l.partial[:i]))
		l.partial = l.partial[i+1:]
	}
	if len(l.partial) > maxLogLine {
		l.line(string(l.partial))
		l.partial = nil
	}
	return len(p), nil
}

func (l *engineLog) line(text string) {
	level, source, message := parseLogLine(text)
	if message == "" || stackFrame.MatchString(message) {
		return
	}
	l.last = append(l.last, message)
	if len(l.last) > keptLines {
		l.last = l.last[len(l.last)-keptLines:]
	}
	l.log.Log(context.Background(), level, "engine reports", "source", source, "text", message)
}

// tail returns the kept lines, each on a line of its own after a line break.
func (l *engineLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.last) == 0 {
		return ""
	}
	return "\nlast lines of the engine:\n  " + strings.Join(l.last, "\n  ")
}

// stackFrame is a line of a stack trace: addresses, as the library has no symbols.
var stackFrame = regexp.MustCompile(`^\d+\. .*@ 0x[0-9a-f]+$`)

var logLevels = map[string]slog.Level{
	"Fatal": slog.LevelError, "Critical": slog.LevelError, "Error": slog.LevelError,
	"Warning": slog.LevelWarn, "Notice": slog.LevelInfo, "Information": slog.LevelInfo,
}

// parseLogLine reads ClickHouse's `time [ thread ] {query id} <Level> source: message`.
// Anything else, such as lines of a stack trace, is for debugging. A quoted
// statement is cut off.
func parseLogLine(text string) (level slog.Level, source, message string) {
	level = slog.LevelDebug
	if open := strings.Index(text, "} <"); open >= 0 {
		if name, rest, ok := strings.Cut(text[open+3:], "> "); ok {
			if known, ok := logLevels[name]; ok {
				level = known
			}
			if source, message, ok = strings.Cut(rest, ": "); !ok {
				source, message = "", rest
			}
			text = message
			if strings.Contains(message, "writing to socket") {
				level = slog.LevelDebug // a client that left: it cancelled its query
			}
		}
	}
	if i := strings.Index(text, "(in query:"); i >= 0 {
		text = text[:i]
	}
	if len(text) > maxLogLine {
		text = text[:maxLogLine]
	}
	return level, source, strings.TrimSpace(strings.ToValidUTF8(text, "?"))
}
