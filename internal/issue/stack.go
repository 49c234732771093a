package issue

import (
	"strconv"
	"strings"
)

// Limits on what is read of one stack trace.
const (
	maxFrames     = 512 // of all its exceptions
	maxExceptions = 16
	maxFrameText  = 512 // bytes of one name or path
)

// Frame is one call on a stack.
type Frame struct {
	Module   string `json:"module" doc:"class, package or namespace; empty where the language has files only"`
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line" doc:"0: unknown"`
	Source   string `json:"source,omitempty" doc:"the line of code, where the runtime prints it"`
	InApp    bool   `json:"in_app" doc:"of the application itself, by the project's rules"`
}

// Exception is one exception of a chain.
type Exception struct {
	Type    string  `json:"type"`
	Message string  `json:"message"`
	Frames  []Frame `json:"frames" doc:"where it was thrown first"`
	Omitted int     `json:"omitted,omitempty" doc:"frames that the runtime left out because the exception above it has them too"`
	// Suppressed exceptions happened while the one above was handled.
	Suppressed bool `json:"suppressed,omitempty"`
}

// Stack is a stack trace: the exception that was recorded and below it its causes.
type Stack struct {
	Language   string      `json:"language" doc:"java, dotnet, javascript, python, go, ruby or php; empty when it could not be read"`
	Exceptions []Exception `json:"exceptions" doc:"the recorded one first, each followed by its cause"`
}

// Parse reads a stack trace as its runtime prints it. The recorded type and
// message, where they are given, are the first exception's. A text that cannot be
// read yields that exception without frames.
func Parse(kind, message, text string) Stack {
	p := &parser{}
	switch detect(text) {
	case "python":
		p.python(text)
	case "go":
		p.goroutine(text)
	case "php":
		p.php(text)
	case "ruby":
		p.ruby(text)
	default:
		p.at(text)
	}
	s := Stack{Language: p.language, Exceptions: p.exceptions}
	if p.frames == 0 || len(s.Exceptions) == 0 {
		s = Stack{Exceptions: []Exception{{}}}
	}
	for i := range s.Exceptions {
		if s.Exceptions[i].Frames == nil {
			s.Exceptions[i].Frames = []Frame{}
		}
	}
	first := &s.Exceptions[0]
	if kind != "" {
		first.Type = kind
	}
	if message != "" {
		first.Message = message
	}
	return s
}

// detectLines is how far a language is looked for.
const detectLines = 60

// detect tells the language by its first line that only this language has. The
// languages whose frames begin with "at" are told apart frame by frame.
func detect(text string) string {
	previous := ""
	for n := 0; n < detectLines && text != ""; n++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "at "):
			if _, language := atFrame(trimmed[len("at "):]); language != "" {
				return language
			}
		case strings.HasPrefix(strings.TrimLeft(trimmed, "| +"), `File "`) && strings.Contains(trimmed, `", line `):
			return "python"
		case strings.HasPrefix(trimmed, "goroutine ") && strings.HasSuffix(trimmed, ":"),
			previous != "" && strings.HasPrefix(line, "\t") && goPlace(trimmed) != "":
			return "go"
		case strings.HasPrefix(trimmed, "#0 "):
			return "php"
		}
		if _, _, ok := rubyFrame(strings.TrimPrefix(trimmed, "from ")); ok {
			return "ruby"
		}
		previous = trimmed
	}
	return ""
}

// parser collects exceptions, within limits.
type parser struct {
	language   string
	exceptions []Exception
	frames     int
}

// open begins an exception and returns its index; behind the limit the last one goes on.
func (p *parser) open(kind, message string) int {
	if len(p.exceptions) < maxExceptions {
		p.exceptions = append(p.exceptions, Exception{Type: short(kind), Message: message})
	}
	return len(p.exceptions) - 1
}

func (p *parser) add(i int, f Frame) {
	if p.frames == maxFrames || i >= len(p.exceptions) {
		return
	}
	p.frames++
	f.Module, f.Function, f.File, f.Source = short(f.Module), short(f.Function), short(f.File), short(f.Source)
	p.exceptions[i].Frames = append(p.exceptions[i].Frames, f)
}

func short(s string) string {
	if len(s) > maxFrameText {
		return strings.ToValidUTF8(s[:maxFrameText], "")
	}
	return s
}

// head reads "type: message". A text that does not begin like a type is a
// message alone.
func head(line string) (kind, message string) {
	line = strings.TrimSpace(line)
	for _, prefix := range []string{"Exception in thread ", "Uncaught ", "Unhandled exception. ", "Unhandled exception: ", "PHP Fatal error:  Uncaught "} {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			if line = rest; strings.HasPrefix(line, `"`) {
				_, line, _ = strings.Cut(line[1:], `" `)
			}
		}
	}
	kind, message, _ = strings.Cut(line, ": ")
	kind = strings.TrimSuffix(kind, ":")
	if kind == "" || strings.ContainsAny(kind, " \t(){}[]\"'") {
		return "", line
	}
	return kind, message
}

// place reads "file:12" or "file:12:5" and returns the file and the line, 0
// when there is none.
func place(s string) (file string, line int) {
	file, line, ok := cutNumber(s)
	if !ok {
		return s, 0
	}
	if shorter, number, ok := cutNumber(file); ok {
		return shorter, number
	}
	return file, line
}

func cutNumber(s string) (rest string, number int, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || len(s)-i > 9 {
		return s, 0, false
	}
	n, err := strconv.Atoi(s[i+1:])
	if err != nil || n < 0 {
		return s, 0, false
	}
	return s[:i], n, true
}
