package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Section is a part of a text under a heading of its own ("[요약]"), which is
// "" for what stands before the first.
type Section struct{ Heading, Body string }

// headingLine is a line that is a heading of a report.
var headingLine = regexp.MustCompile(`^\[[^\[\]]{1,60}\]$`)

// Sections cuts text at its headings.
func Sections(text string) []Section {
	var out []Section
	var current Section
	flush := func() {
		current.Body = strings.Trim(current.Body, "\n")
		if current != (Section{}) {
			out = append(out, current)
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if headingLine.MatchString(line) {
			flush()
			current = Section{Heading: line}
			continue
		}
		current.Body += line + "\n"
	}
	flush()
	return out
}

// text puts sections together again.
func text(sections []Section) string {
	var b strings.Builder
	for i, s := range sections {
		if i > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(s.Heading)
		if s.Heading != "" && s.Body != "" {
			b.WriteByte('\n')
		}
		b.WriteString(s.Body)
	}
	return b.String()
}

// Shorter returns m's text as it is when its size is within limit. A longer one
// loses whole sections from its end, and then whole sentences and lines, never
// a part of one, and ends with Elsewhere. The first section goes last: reports
// begin with what matters most. What is left can be Elsewhere alone.
func (m Message) Shorter(limit int, size func(string) int) string {
	if size(m.Text) <= limit {
		return m.Text
	}
	note := m.Elsewhere()
	fits := func(sections []Section) (string, bool) {
		t := strings.TrimPrefix(text(sections)+"\n\n"+note, "\n\n")
		return t, size(t) <= limit
	}
	sections := Sections(m.Text)
	for len(sections) > 1 {
		sections = sections[:len(sections)-1]
		if t, ok := fits(sections); ok {
			return t
		}
	}
	if len(sections) == 0 {
		return note
	}
	first := sections[0]
	ends := sentenceEnds(first.Body)
	// The longest start that fits, by halving: texts have thousands of lines.
	low, high := 0, len(ends)
	for low < high {
		middle := (low + high + 1) / 2
		if _, ok := fits([]Section{{first.Heading, first.Body[:ends[middle-1]]}}); ok {
			low = middle
		} else {
			high = middle - 1
		}
	}
	if low == 0 {
		if t, ok := fits([]Section{{Heading: first.Heading}}); ok {
			return t
		}
		return note
	}
	t, _ := fits([]Section{{first.Heading, strings.TrimRight(first.Body[:ends[low-1]], " \n")}})
	return t
}

// sentence is an end of a sentence inside a line.
var sentence = regexp.MustCompile(`[.!?。…][)"'”’\]]* +`)

// sentenceEnds returns the offsets at which a sentence or a line of s ends, in
// order. Lines without words (a list's number) end nothing.
func sentenceEnds(s string) []int {
	var ends []int
	at := 0
	for line := range strings.SplitAfterSeq(s, "\n") {
		if strings.TrimSpace(line) != "" {
			for _, m := range sentence.FindAllStringIndex(line, -1) {
				if m[1] < len(line) && !abbreviated(line[:m[0]]) {
					ends = append(ends, at+m[1])
				}
			}
			ends = append(ends, at+len(line))
		}
		at += len(line)
	}
	return ends
}

// abbreviated reports whether s, which stands before a full stop, ends with the
// number of a list ("1") or an abbreviation ("e.g"): no sentence ends there.
func abbreviated(s string) bool {
	word := s[strings.LastIndexAny(s, " \t(")+1:]
	return len(word) <= 3 && (word == "" || strings.Trim(word, "0123456789") == "" || strings.Contains(word, "."))
}

// Elsewhere says, in the message's language, that there is more than what is shown.
func (m Message) Elsewhere() string {
	switch {
	case m.Language == "ko" && m.Link != "":
		return "(전체 내용은 링크에서 볼 수 있습니다.)"
	case m.Language == "ko":
		return "(전체 내용은 MATRIX에서 볼 수 있습니다.)"
	case m.Link != "":
		return "(The full report is behind the link.)"
	}
	return "(The full report is in MATRIX.)"
}

// Title returns the subject on one line, of at most limit as size counts. A longer one ends
// after the last part (" · ") or word that fits, with "…".
func (m Message) Title(limit int, size func(string) int) string {
	title := strings.Join(strings.Fields(strings.ToValidUTF8(m.Subject, "\uFFFD")), " ")
	if title == "" {
		title = "MATRIX"
	}
	if size(title) <= limit {
		return title
	}
	for cut := title; ; {
		at := strings.LastIndexByte(cut, ' ')
		if at < 0 {
			break
		}
		cut = strings.TrimRight(cut[:at], " ·")
		if cut != "" && size(cut+" …") <= limit {
			return cut + " …"
		}
	}
	return Start(title, limit-size("…"), size) + "…" // one word that is too long
}

// Split cuts text into pieces of at most limit as size counts, for services that
// take long texts in pieces: at the end of a line where one fits, else of a
// sentence, else of a word. Nothing of it is lost but the line breaks and spaces between pieces.
func Split(text string, limit int, size func(string) int) []string {
	var out []string
	for {
		start := Start(text, limit, size)
		if len(start) == len(text) {
			return append(out, text)
		}
		at := strings.LastIndexByte(start, '\n')
		if at <= 0 {
			if ends := sentence.FindAllStringIndex(start, -1); len(ends) > 0 {
				at = ends[len(ends)-1][1]
			} else {
				at = strings.LastIndexByte(start, ' ')
			}
		}
		if at <= 0 {
			at = len(start)
		}
		out = append(out, strings.TrimRight(text[:at], " \n"))
		text = strings.TrimLeft(text[at:], " \n")
	}
}

// Start returns the longest start of s that size measures with at most limit.
func Start(s string, limit int, size func(string) int) string {
	n := 0
	for i, r := range s {
		if n += size(string(r)); n > limit {
			return s[:i]
		}
	}
	return s
}

// Address returns m's link if it is an http or https address of at most limit
// bytes, else "": services refuse the whole message for a bad one.
func (m Message) Address(limit int) string { return address(m.Link, limit) }

func address(link string, limit int) string {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(link) > limit {
		return ""
	}
	return link
}

// Buttons returns what can be opened from m, its own page first, with addresses of
// at most limit bytes and words on each.
func (m Message) Buttons(limit int) []Action {
	var buttons []Action
	for _, b := range append([]Action{{m.LinkText, m.Link}}, m.Actions...) {
		if to := address(b.URL, limit); to != "" {
			buttons = append(buttons, Action{cmp.Or(strings.Join(strings.Fields(b.Label), " "), "MATRIX"), to})
		}
	}
	return buttons
}

// CaseKey names the case m is about, for services that keep one entry for each:
// the same for all messages of a thread, and for a message without one its own.
// It has at most limit bytes.
func (m Message) CaseKey(limit int) string {
	about := m.Thread
	if about == "" {
		about = m.Key
	}
	key := fmt.Sprintf("matrix/%d/%s", m.Project, about)
	if len(key) > limit {
		sum := sha256.Sum256([]byte(key))
		return "matrix/" + hex.EncodeToString(sum[:])
	}
	return key
}

// UTF16 counts UTF-16 units, as Slack and Telegram do.
func UTF16(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// Characters counts code points.
func Characters(s string) int { return utf8.RuneCountInString(s) }
