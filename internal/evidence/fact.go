package evidence

import (
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/mask"
)

// Lengths in bytes at which texts of monitored programs are cut.
const (
	maxName      = 200
	maxMessage   = 300
	maxURL       = 300
	maxMainSQL   = 2000 // of the statement that took longest in the worst transaction
	maxOtherSQL  = 500
	maxTables    = 20
	maxLiterals  = 20
	maxLiteral   = 200
	cutMark      = "…"
	maxFactBytes = 4 << 10
)

// fact is a ground.Fact in the making.
type fact struct {
	Kind            string
	TraceID, SpanID string
	Step            int
	partial         bool // ground.Fact.Partial
	link            string
	text            strings.Builder
	values          []ground.Value
}

func (f *fact) say(format string, args ...any) { fmt.Fprintf(&f.text, format, args...) }

// value adds a text value that may leave the house.
func (f *fact) value(name, v string) { f.classed(name, v, "") }

// classed adds a text value of a mask class; none when it is empty.
func (f *fact) classed(name, v string, class mask.Class) {
	if v != "" {
		f.values = append(f.values, ground.Value{Name: name, Value: v, Class: class})
	}
}

// number adds a number; none when it is empty.
func (f *fact) number(name, v, unit string) {
	if v != "" {
		f.values = append(f.values, ground.Value{Name: name, Value: v, Unit: unit})
	}
}

func (f *fact) ms(name string, ns int64) { f.number(name, milliseconds(ns), "ms") }

func (f *fact) count(name string, n int) { f.number(name, strconv.Itoa(n), "count") }

// once is classed for a value that the fact may hold already.
func (f *fact) once(name, v string, class mask.Class) {
	if !slices.Contains(f.values, ground.Value{Name: name, Value: v, Class: class}) {
		f.classed(name, v, class)
	}
}

// has returns how many values of that name the fact holds.
func (f *fact) has(name string) int {
	n := 0
	for _, v := range f.values {
		if v.Name == name {
			n++
		}
	}
	return n
}

// tables and those below it add values by which the mask knows names in the text.
func (f *fact) tables(names []string) {
	for _, name := range names {
		if f.has("table") < maxTables {
			f.once("table", name, mask.Table)
		}
	}
}

func (f *fact) service(name string) { f.classed("service", name, mask.Name) }

// instance classes a pod or a machine as a host: some are called by their
// address, and other texts may name the machine.
func (f *fact) instance(name string) { f.classed("instance", name, addressClass(name)) }

// destination is the topic or queue of a message.
func (f *fact) destination(name string) { f.classed("destination", name, mask.Name) }

func (f *fact) address(name string) { f.classed("address", name, addressClass(name)) }

func (f *fact) url(text string) {
	class := mask.URL
	if strings.HasPrefix(text, "/") {
		class = mask.Path
	}
	f.classed("url", text, class)
}

func (f *fact) ground() ground.Fact {
	return ground.Fact{
		Kind: f.Kind, Text: clip(ground.Line(f.text.String()), maxFactBytes), TraceID: f.TraceID, SpanID: f.SpanID, Step: f.Step, Partial: f.partial, Values: f.values, Link: f.link,
	}
}

func note(format string, args ...any) ground.Fact {
	f := fact{Kind: ground.Note}
	f.say(format, args...)
	return f.ground()
}

// bundle collects facts up to its limits.
type bundle struct {
	facts []ground.Fact
	bytes int
	left  int // facts that found no room
}

// add appends a fact; one place stays free for the note that says what was left out.
func (b *bundle) add(f ground.Fact) {
	if len(b.facts) == maxFacts-1 || b.bytes+len(f.Text) > maxText-maxName {
		b.left++
		return
	}
	b.bytes += len(f.Text)
	b.facts = append(b.facts, f)
}

func (b *bundle) numbered() []ground.Fact {
	if b.left > 0 {
		b.facts = append(b.facts, note("%d further facts were left out: the evidence has reached its limit.", b.left))
	}
	for i := range b.facts {
		b.facts[i].ID = "E" + strconv.Itoa(i+1)
	}
	return b.facts
}

// milliseconds writes ns as whole ms from 100 ms on, below with two places.
func milliseconds(ns int64) string {
	ms := float64(ns) / 1e6
	if ms >= 100 {
		return strconv.FormatFloat(math.Round(ms), 'f', 0, 64)
	}
	return trimmed(ms, 2)
}

// trimmed writes v with at most that many places.
func trimmed(v float64, places int) string {
	text := strconv.FormatFloat(v, 'f', places, 64)
	if !strings.Contains(text, ".") {
		return text
	}
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// percent writes what part is of whole; nothing below 0.1 %.
func percent(part, whole int64) string {
	if whole <= 0 || part*1000 < whole {
		return ""
	}
	return trimmed(100*float64(part)/float64(whole), 1)
}

// quoted writes text in quotes between before and after; nothing when it is empty.
func quoted(before, text, after string) string {
	if text == "" {
		return ""
	}
	return before + strconv.Quote(text) + after
}

// clip cuts text visibly at n bytes, between runes.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n -= len(cutMark); n > 0 && !utf8.RuneStart(text[n]); {
		n--
	}
	return text[:n] + cutMark
}

// telling reports whether a literal, seen elsewhere, is likely to be the same
// value: shorter ones occur everywhere by chance, but a Korean name has two
// characters and more.
func telling(literal string) bool {
	shortest := 4
	if strings.IndexFunc(literal, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		shortest = 2
	}
	return utf8.RuneCountInString(literal) >= shortest && len(literal) <= maxLiteral
}

func addressClass(address string) mask.Class {
	host := address
	if h, _, err := net.SplitHostPort(address); err == nil {
		host = h
	}
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		return mask.IP
	}
	return mask.Host
}

// withoutSecrets returns a URL without what people put secrets into: user,
// query and fragment.
func withoutSecrets(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		raw, _, _ = strings.Cut(raw, "?")
		return clip(raw, maxURL)
	}
	u.User, u.RawQuery, u.Fragment, u.ForceQuery = nil, "", "", false
	return clip(u.String(), maxURL)
}
