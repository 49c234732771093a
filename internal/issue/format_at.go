package issue

import (
	"strconv"
	"strings"
)

// at reads the formats whose frames begin with "at": Java and what else runs on
// its machine, .NET, and JavaScript as V8 prints it; also "function@file:1:2",
// as the other browsers do.
func (p *parser) at(text string) {
	current := p.open("", "")
	var outer []int // .NET: those whose frames come behind the end of their cause
	suppressedAt, headed := -1, false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		t := strings.TrimSpace(line)
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		rest, isAt := strings.CutPrefix(t, "at ")
		frame, language := Frame{}, ""
		if isAt {
			frame, language = atFrame(rest)
		} else if !strings.Contains(t, " ") {
			frame, language = geckoFrame(t)
		}
		switch {
		case t == "":
		case language != "":
			if p.language == "" {
				p.language = language
			}
			p.add(current, frame)
			headed = true
		case strings.HasPrefix(t, "Caused by: "):
			current = p.open(head(t[len("Caused by: "):]))
			p.exceptions[current].Suppressed = suppressedAt >= 0 && indent >= suppressedAt
		case strings.HasPrefix(t, "Suppressed: "):
			current, suppressedAt = p.open(head(t[len("Suppressed: "):])), indent
			p.exceptions[current].Suppressed = true
		case strings.HasPrefix(t, "[cause]: "):
			current = p.open(head(strings.TrimSuffix(t[len("[cause]: "):], " {")))
		case strings.HasPrefix(t, "... ") && strings.Contains(t, " more"):
			n, _ := strconv.Atoi(strings.Fields(t)[1])
			p.exceptions[current].Omitted = max(n, 0)
		case strings.HasPrefix(t, "---> "):
			outer = append(outer, current)
			current = p.open(head(t[len("---> "):]))
			headed = true
		case strings.HasPrefix(t, "--- End of inner exception"):
			if n := len(outer); n > 0 {
				current, outer = outer[n-1], outer[:n-1]
			}
		case !headed:
			headed = true
			// .NET's older runtimes print a cause on the line of what it caused.
			before, cause, nested := strings.Cut(t, " ---> ")
			e := &p.exceptions[0]
			e.Type, e.Message = head(before)
			e.Type = short(e.Type)
			if nested {
				outer = append(outer, current)
				current = p.open(head(cause))
			}
		}
	}
}

// atFrame reads what stands behind "at ". The language is "" when it is no frame.
func atFrame(s string) (f Frame, language string) {
	s = strings.TrimSuffix(strings.TrimSpace(s), " {") // Node.js, before [cause]
	// .NET with debug information: Namespace.Class.Method(Type name) in /path/File.cs:line 12
	if call, file, ok := strings.Cut(s, ") in "); ok {
		if path, number, ok := cutLast(file, ":line "); ok {
			f.File = path
			f.Line, _ = strconv.Atoi(number)
			f.Module, f.Function = qualified(call[:openOf(call)], '.')
			return f, "dotnet"
		}
	}
	s = strings.TrimPrefix(s, "async ")
	if !strings.HasSuffix(s, ")") { // JavaScript without a function
		if file, line := place(s); line > 0 && strings.Count(s, ":") >= 2 {
			return Frame{File: file, Line: line}, "javascript"
		}
		return f, ""
	}
	open := openOf(s)
	if open <= 0 {
		return f, ""
	}
	call, inside := s[:open], s[open+1:len(s)-1]
	if strings.HasSuffix(call, " ") {
		call = strings.TrimSpace(call)
		file, line := place(inside)
		if line == 0 && inside != "native" && inside != "<anonymous>" && !strings.HasPrefix(inside, "index ") {
			return f, ""
		}
		call, _, _ = strings.Cut(call, " [as ")
		return Frame{Function: strings.TrimPrefix(call, "new "), File: file, Line: line}, "javascript"
	}
	if strings.ContainsAny(call, " \t") || !strings.Contains(call, ".") {
		return f, ""
	}
	file, line := place(inside)
	switch {
	case inside == "Native Method", inside == "Unknown Source", inside == "<generated>",
		strings.Contains(file, ".") && !strings.ContainsAny(file, " ,"):
		if line == 0 && !strings.Contains(file, ".") {
			file = ""
		}
		f.Module, f.Function = qualified(javaClass(call), '.')
		f.File, f.Line = file, line
		return f, "java"
	}
	f.Module, f.Function = qualified(call, '.')
	return f, "dotnet"
}

// openOf is where the last parenthesis opens that is closed at the end, or 0.
func openOf(s string) int {
	depth := 0
	for i := len(s) - 1; i > 0; i-- {
		switch s[i] {
		case ')':
			depth++
		case '(':
			if depth--; depth <= 0 {
				return i
			}
		}
	}
	return 0
}

// javaClass takes away what names the class loader and the module, as in
// app//com.shop.Order and java.base@17/java.lang.Thread. The slash of a hidden
// class, Order$$Lambda/0x0000, stays.
func javaClass(call string) string {
	name := call
	if i := strings.Index(name, "/0x"); i >= 0 {
		name = name[:i]
	}
	return call[strings.LastIndexByte(name, '/')+1:]
}

// qualified splits a name at its last separator.
func qualified(name string, separator byte) (module, function string) {
	if i := strings.LastIndexByte(name, separator); i > 0 {
		if name[i-1] == separator { // .NET: Class..ctor
			return name[:i-1], name[i:]
		}
		return name[:i], name[i+1:]
	}
	return "", name
}

func cutLast(s, separator string) (before, after string, ok bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

// geckoFrame reads "function@https://host/file.js:1:2".
func geckoFrame(s string) (Frame, string) {
	function, rest, ok := strings.Cut(s, "@")
	if !ok || strings.Count(rest, ":") < 2 {
		return Frame{}, ""
	}
	file, line := place(rest)
	if line == 0 || !strings.Contains(file, "/") {
		return Frame{}, ""
	}
	return Frame{Function: function, File: file, Line: line}, "javascript"
}
