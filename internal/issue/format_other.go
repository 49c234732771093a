package issue

import (
	"slices"
	"strconv"
	"strings"
)

// python reads tracebacks: most recent call last, the cause before what it caused.
func (p *parser) python(text string) {
	p.language = "python"
	current, inFrames := p.open("", ""), false
	last := func() *Frame {
		if e := &p.exceptions[current]; len(e.Frames) > 0 {
			return &e.Frames[len(e.Frames)-1]
		}
		return nil
	}
	done := false // the current exception has its head: what comes next begins another
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		plain := strings.TrimLeft(line, "|+ ") // an exception group draws its tree in front
		switch {
		case plain == "" || strings.Trim(plain, "^~- ") == "":
		case strings.HasPrefix(plain, "Traceback (most recent call last)"):
			if done || len(p.exceptions[current].Frames) > 0 {
				current, done = p.open("", ""), false
			}
		case strings.HasPrefix(plain, `File "`):
			file, rest, ok := strings.Cut(plain[len(`File "`):], `", line `)
			if !ok {
				continue
			}
			number, function, _ := strings.Cut(rest, ", in ")
			n, _ := strconv.Atoi(number)
			p.add(current, Frame{File: file, Line: max(n, 0), Function: function})
			inFrames = true
		case strings.HasPrefix(plain, "During handling of the above"), strings.HasPrefix(plain, "The above exception was"):
		case inFrames && strings.HasPrefix(line, "    "):
			if f := last(); f != nil && f.Source == "" {
				f.Source = short(plain)
			}
		case inFrames && !done:
			e := &p.exceptions[current]
			e.Type, e.Message = head(plain)
			e.Type = short(e.Type)
			if e.Type == "" {
				e.Type, e.Message = short(plain), ""
			}
			inFrames, done = false, true
		}
	}
	for i := range p.exceptions {
		slices.Reverse(p.exceptions[i].Frames)
	}
	slices.Reverse(p.exceptions)
}

// goroutine reads the first goroutine of a panic, and what libraries print in
// the same form: a function, and below it a tab and its place.
func (p *parser) goroutine(text string) {
	p.language = "go"
	current, seen := p.open("", ""), false
	previous := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		t := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(t, "goroutine ") && strings.HasSuffix(t, ":"):
			if seen {
				return
			}
			seen = true
		case strings.HasPrefix(t, "panic: "):
			p.exceptions[current].Type, p.exceptions[current].Message = "panic", t[len("panic: "):]
		case strings.HasPrefix(line, "\t") && previous != "":
			if at := goPlace(t); at != "" {
				file, number := place(at)
				f := Frame{File: file, Line: number}
				f.Module, f.Function = goFunction(previous)
				p.add(current, f)
				t = ""
			}
		}
		previous = t
	}
}

// goPlace returns "file.go:12" of "file.go:12 +0x1d", or "".
func goPlace(s string) string {
	s, _, _ = strings.Cut(s, " +0x")
	if file, line := place(s); line == 0 || !strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, ".s") {
		return ""
	}
	return s
}

// goFunction splits "host/path/pkg.(*T).Method(0x1, 0x2)" into package and function.
func goFunction(s string) (pkg, function string) {
	s = strings.TrimPrefix(s, "created by ")
	s, _, _ = strings.Cut(s, " in goroutine ")
	if strings.HasSuffix(s, ")") {
		if open := openOf(s); open > 0 && !strings.HasSuffix(s[:open], ".") {
			s = s[:open]
		}
	}
	slash := strings.LastIndexByte(s, '/') + 1
	if dot := strings.IndexByte(s[slash:], '.'); dot >= 0 {
		return s[:slash+dot], s[slash+dot+1:]
	}
	return "", s
}

// php reads "#0 file(12): Class->method()"; what was thrown first is printed first
// and "Next" leads to what it caused.
func (p *parser) php(text string) {
	p.language = "php"
	current, headed := p.open("", ""), false
	for line := range strings.Lines(text) {
		t := strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(t, "Next "); ok {
			current = p.open(head(rest))
			continue
		}
		number, rest, ok := strings.Cut(strings.TrimPrefix(t, "#"), " ")
		if _, err := strconv.Atoi(number); !ok || err != nil || !strings.HasPrefix(t, "#") {
			if !headed && t != "" {
				e := &p.exceptions[current]
				e.Type, e.Message = head(t)
				e.Type, headed = short(e.Type), true
			}
			continue
		}
		headed = true
		at, call, ok := strings.Cut(rest, ": ")
		if !ok {
			continue // {main}
		}
		var f Frame
		if open := openOf(at); open > 0 && strings.HasSuffix(at, ")") {
			f.File = at[:open]
			f.Line, _ = strconv.Atoi(at[open+1 : len(at)-1])
			f.Line = max(f.Line, 0)
		}
		call, _, _ = strings.Cut(call, "(")
		f.Function = call
		for _, separator := range []string{"->", "::"} {
			if class, method, ok := cutLast(call, separator); ok {
				f.Module, f.Function = class, method
				break
			}
		}
		p.add(current, f)
	}
	slices.Reverse(p.exceptions)
}

// ruby reads "file.rb:12:in 'method'"; a frame that carries a message begins an exception.
func (p *parser) ruby(text string) {
	p.language = "ruby"
	current := -1
	for line := range strings.Lines(text) {
		t := strings.TrimSpace(line)
		f, message, ok := rubyFrame(strings.TrimPrefix(t, "from "))
		if !ok {
			continue
		}
		if message != "" || current < 0 {
			current = p.open("", message)
			if text, kind, ok := cutLast(strings.TrimSuffix(message, ")"), " ("); ok && strings.HasSuffix(message, ")") {
				p.exceptions[current].Type, p.exceptions[current].Message = short(kind), text
			}
		}
		p.add(current, f)
	}
}

// rubyFrame reads a frame and the message behind it.
func rubyFrame(s string) (f Frame, message string, ok bool) {
	at, rest, ok := strings.Cut(s, ":in ")
	if !ok || rest == "" || rest[0] != '`' && rest[0] != '\'' {
		return f, "", false
	}
	f.File, f.Line = place(at)
	name, message, _ := strings.Cut(rest[1:], "'")
	if f.Line == 0 || strings.ContainsAny(f.File, "\t") {
		return f, "", false
	}
	name = strings.TrimPrefix(name, "block in ")
	f.Function = name
	for _, separator := range []string{"#", "."} {
		if class, method, ok := cutLast(name, separator); ok && class != "" {
			f.Module, f.Function = class, method
			break
		}
	}
	return f, strings.TrimSpace(strings.TrimPrefix(message, ":")), true
}
