package issue

import (
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/matrix-aiops/matrix/internal/pattern"
)

// Algorithm is the newest way of grouping. A change to what Fingerprint hashes,
// to the stack formats it is fed from or to what is in-app by default is a new
// number here and a new case in Fingerprint: the old one goes on to be computed,
// so that what it has grouped stays together (Grouping).
const Algorithm = 1

// Fingerprint is what the occurrences of one issue share:
//
//   - a name that the application gave, else
//   - the types and in-app frames of the whole chain of causes, line numbers,
//     generated names and repetition left out, else, with no such frame,
//   - the types and the first message without what varies in it.
//
// It is never 0. Suppressed exceptions and the frames of libraries do not count.
// The frames of s must be marked (Rules.Mark).
func Fingerprint(algorithm int, custom string, s *Stack) uint64 {
	h := hasher{xxhash.New()}
	h.add("matrix", string(rune('0'+algorithm)))
	if custom != "" {
		h.add("custom", custom)
		return max(h.Sum64(), 1)
	}
	framed := false
	seen := map[string]bool{}
	for i := range s.Exceptions {
		e := &s.Exceptions[i]
		if e.Suppressed {
			continue
		}
		h.add("type", stable(e.Type))
		clear(seen) // recursion: a frame counts where it is met first
		for j := range e.Frames {
			f := &e.Frames[j]
			if !f.InApp {
				continue
			}
			framed = true
			if key := frameKey(s.Language, f); !seen[key] {
				seen[key] = true
				h.add("frame", key)
			}
		}
	}
	if !framed && len(s.Exceptions) > 0 {
		h.add("message", string(pattern.Append(nil, []byte(s.Exceptions[0].Message))))
	}
	return max(h.Sum64(), 1)
}

type hasher struct{ *xxhash.Digest }

func (h hasher) add(kind, value string) {
	_, _ = h.WriteString(kind) // a hash never fails
	_, _ = h.WriteString("\x00")
	_, _ = h.WriteString(value)
	_, _ = h.WriteString("\x00")
}

// frameKey names a frame without what changes from build to build.
func frameKey(language string, f *Frame) string {
	switch language {
	case "java", "dotnet", "go":
		return stable(f.Module) + "." + stable(f.Function)
	}
	return stablePath(f.File) + ":" + stable(f.Module) + "." + stable(f.Function)
}

// counted are the words behind which compilers count: func1 of Go, $Proxy12 and
// DisplayClass3 of others.
var counted = []string{"func", "gowrap", "Proxy", "DisplayClass"}

// stable is a name without the numbers that compilers give to what has no name:
// Order$1, lambda$place$0, place.func2.1, <Main>b__3_0, List[...].
func stable(name string) string {
	if !strings.ContainsAny(name, "0123456789") {
		return name
	}
	var b strings.Builder
	b.Grow(len(name))
	for i := 0; i < len(name); {
		c := name[i]
		if c < '0' || c > '9' {
			b.WriteByte(c)
			i++
			continue
		}
		end := i
		for end < len(name) && name[end] >= '0' && name[end] <= '9' {
			end++
		}
		if !countedBehind(b.String()) {
			b.WriteString(name[i:end])
		}
		i = end
	}
	return b.String()
}

// countedBehind reports whether a number behind this beginning is a compiler's.
func countedBehind(before string) bool {
	if before == "" {
		return false
	}
	switch before[len(before)-1] {
	case '$', '_':
		return true
	case '.': // place.func2.1
		return strings.HasSuffix(before, ".func.") || strings.HasSuffix(before, "..")
	}
	for _, word := range counted {
		if strings.HasSuffix(before, word) {
			return true
		}
	}
	return false
}

// stablePath is a path without its origin, its query and the parts that a build
// or a deployment numbers: https://shop/assets/cart-4f3a9c21.js?v=2 is
// assets/cart-*.js.
func stablePath(path string) string {
	if _, rest, ok := strings.Cut(path, "://"); ok {
		path = strings.TrimLeft(rest, "/")
		if host, below, ok := strings.Cut(path, "/"); ok && strings.ContainsAny(host, ".:") {
			path = below
		}
	}
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	var b strings.Builder
	b.Grow(len(path))
	for i := 0; i < len(path); {
		end, digits, hex := i, 0, true
		for end < len(path) && !strings.ContainsRune(`/\.-_@`, rune(path[end])) {
			switch c := path[end]; {
			case c >= '0' && c <= '9':
				digits++
			case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			default:
				hex = false
			}
			end++
		}
		switch n := end - i; {
		case n > 0 && digits == n, digits > 0 && hex && n >= 7:
			b.WriteByte('*')
		default:
			b.WriteString(path[i:end])
		}
		if end < len(path) {
			b.WriteByte(path[end])
			end++
		}
		i = end
	}
	return b.String()
}

// Culprit is the frame that names the issue: the first in-app frame of the
// deepest cause that has one, else the first frame. Empty when there are none.
func (s *Stack) Culprit() string {
	for i := len(s.Exceptions) - 1; i >= 0; i-- {
		if s.Exceptions[i].Suppressed {
			continue
		}
		for j := range s.Exceptions[i].Frames {
			if f := &s.Exceptions[i].Frames[j]; f.InApp {
				return f.name()
			}
		}
	}
	for i := range s.Exceptions {
		if len(s.Exceptions[i].Frames) > 0 {
			return s.Exceptions[i].Frames[0].name()
		}
	}
	return ""
}

// name is how the frame is called in a list.
func (f *Frame) name() string {
	switch {
	case f.Module != "":
		return f.Module + "." + f.Function
	case f.File != "" && f.Function != "":
		return stablePath(f.File) + " in " + f.Function
	case f.File != "":
		return stablePath(f.File)
	}
	return f.Function
}
