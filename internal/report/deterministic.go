package report

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/ground"
)

const (
	maxTransactions = 2   // described one by one; the others are in the evidence
	maxTables       = 5   // named in one sentence
	maxQuoted       = 120 // runes of a name or message out of a monitored program
)

// Deterministic writes the report from the evidence alone, without what a model
// asked for: the slowest steps in order, each with the action its kind calls for. It never fails, states nothing
// but the facts' own values, and is labelled as made without a model, for the
// reason given (NoModel, ModelFailed, …).
func Deterministic(b *ground.Bundle, lang, reason string) *Report {
	b = b.Unasked()
	w := writer{bundle: b, phrases: phrasesOf[language(lang)]}
	r := &Report{Language: language(lang), Source: ByRules, Reason: reason}
	causes := w.causes()
	r.Summary = w.summary()
	r.Transaction = w.transactions()
	for _, c := range causes {
		r.Analysis = append(r.Analysis, Point{Text: w.analysis(c), Evidence: []string{c.ID}})
	}
	if len(r.Analysis) == 0 {
		r.Analysis = []Point{w.point(w.phrases.noCause, w.first(ground.Transaction), w.first(ground.Alarm))}
		for _, v := range w.of(ground.Note) {
			if v.Get("verdict") == AsUsual {
				r.Analysis = []Point{w.point(w.phrases.normal, v)}
			}
		}
	}
	r.Confidence = Confidence(b)
	r.Actions = w.actions(causes)
	return r
}

// writer fills the phrases of one language with the facts of one bundle.
type writer struct {
	bundle  *ground.Bundle
	phrases phrases
}

// values is one fact with its values made fit for a sentence.
type values struct {
	ground.Fact
}

func (v values) get(name string) string { return quote(v.Get(name)) }

// ms returns a duration value as 8003ms; "" when the fact has none.
func (v values) ms(name string) string {
	n := v.number(name)
	switch {
	case n < 0:
		return ""
	case n >= 100:
		return strconv.FormatFloat(n, 'f', 0, 64) + "ms"
	}
	short := strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(n, 'f', 2, 64), "0"), ".")
	if short == "0" {
		short = v.Get(name)
	}
	return short + "ms"
}

// number returns a numeric value, -1 when the fact has none.
func (v values) number(name string) float64 {
	n, err := strconv.ParseFloat(v.Get(name), 64)
	if err != nil {
		return -1
	}
	return n
}

func (v values) tables() string {
	tables := v.All("table")
	for i := range tables {
		tables[i] = quote(tables[i])
	}
	return strings.Join(tables[:min(len(tables), maxTables)], ", ")
}

// statement is what a SQL statement is called: by its name, else by its text.
func (v values) statement() string {
	if name := v.get("name"); name != "" {
		return name
	}
	return v.get("sql")
}

// cost is what the fact took of its transaction, in ms: all calls together when
// it was repeated.
func (v values) cost() float64 { return max(v.number("total"), v.number("elapsed")) }

func (v values) repeated() bool { return v.number("calls") > 1 && v.number("total") > 0 }

// quote makes a text out of a monitored program harmless in a sentence: one
// line, no section heading, bounded.
func quote(text string) string {
	text = strings.NewReplacer("[", "(", "]", ")", "［", "(", "］", ")", "【", "(", "】", ")", "〔", "(", "〕", ")", "〖", "(", "〗", ")", "\uFFFD", "?").Replace(ground.Line(text))
	if runes := []rune(text); len(runes) > maxQuoted {
		text = string(runes[:maxQuoted]) + "…"
	}
	return text
}

func (w writer) of(kind string) []values {
	var found []values
	for _, f := range w.bundle.Facts {
		if f.Kind == kind {
			found = append(found, values{f})
		}
	}
	return found
}

func (w writer) first(kind string) values {
	for _, v := range w.of(kind) {
		return v
	}
	return values{}
}

// point cites those of the facts that exist.
func (w writer) point(text string, facts ...values) Point {
	p := Point{Text: text, Evidence: []string{}}
	for _, f := range facts {
		if f.ID != "" {
			p.Evidence = append(p.Evidence, f.ID)
		}
	}
	return p
}

// causes returns up to three facts that explain the alarm best: the service that
// deviates most from the usual, the costliest statements, calls, waits and steps,
// then an exception, then the comparison with the usual.
func (w writer) causes() []values {
	var timed []values
	for _, kind := range []string{ground.Statement, ground.Call, ground.Wait, ground.Step} {
		timed = append(timed, w.of(kind)...)
	}
	sort.SliceStable(timed, func(i, j int) bool { return timed[i].cost() > timed[j].cost() })
	most := w.first(ground.Transaction).number("elapsed")
	var causes []values
	seen := map[string]bool{}
	if w.first(ground.Alarm).Get("about") == "sql" { // what it counts comes before what took long
		if v := w.largest(); v.ID != "" {
			causes = append(causes, v)
			seen[w.analysis(v)] = true
		}
	}
	for _, v := range timed {
		small := len(causes) > 0 && (v.cost() < causes[0].cost()/10 || v.cost() < most/20)
		if v.cost() > 0 && !small && !seen[w.analysis(v)] && len(causes) < 3 {
			seen[w.analysis(v)] = true
			causes = append(causes, v)
		}
	}
	var others []values
	for _, kind := range []string{ground.Exception, ground.Comparison} {
		if v := w.first(kind); v.ID != "" && w.analysis(v) != "" {
			others = append(others, v)
		}
	}
	if len(others) > 0 {
		causes = causes[:min(len(causes), 2)]
	}
	causes = append(causes, others...)
	// What deviates from the usual says more than what took long, unless one thing
	// took most of the time.
	if suspect := w.first(ground.Cause); suspect.ID != "" && w.analysis(suspect) != "" {
		at := 0
		if len(causes) > 0 && causes[0].cost() >= most/2 && most > 0 {
			at = 1
		}
		causes = slices.Insert(causes, at, suspect)
	}
	return causes[:min(len(causes), 3)]
}

// largest returns the statement that ran or fetched most.
func (w writer) largest() (most values) {
	amount := func(v values) float64 { return max(v.number("calls"), v.number("rows"), 1) }
	for _, v := range w.of(ground.Statement) {
		if most.ID == "" || amount(v) > amount(most) {
			most = v
		}
	}
	return most
}

func (w writer) summary() Point {
	alarm, transaction := w.first(ground.Alarm), w.first(ground.Transaction)
	text := w.phrases.alarm(alarm)
	if text == "" {
		text = w.phrases.titled(quote(w.bundle.Title))
	}
	if transaction.ID != "" {
		text += " " + w.phrases.worst(transaction)
	}
	return w.point(text, alarm, transaction)
}

func (w writer) transactions() []Point {
	var points []Point
	all := w.of(ground.Transaction)
	for _, v := range all[:min(len(all), maxTransactions)] {
		for _, line := range w.phrases.transaction(v) {
			points = append(points, w.point(line, v))
		}
	}
	if len(points) == 0 {
		points = append(points, w.point(w.phrases.noTransaction, w.first(ground.Alarm)))
	}
	return points[:min(len(points), 6)]
}

func (w writer) analysis(v values) string {
	text := w.sentence(v)
	first, n := utf8.DecodeRuneInString(text)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + text[n:]
}

func (w writer) sentence(v values) string {
	switch v.Kind {
	case ground.Statement:
		return w.phrases.statement(v)
	case ground.Call:
		return w.phrases.call(v)
	case ground.Wait:
		return w.phrases.wait(v)
	case ground.Exception:
		return w.phrases.exception(v)
	case ground.Comparison:
		return w.phrases.comparison(v)
	case ground.Cause:
		return w.phrases.cause(v)
	}
	return w.phrases.step(v)
}

func (w writer) actions(causes []values) []Point {
	var points []Point
	seen := map[string]bool{}
	for _, v := range causes {
		// The same advice for another table adds nothing.
		text := w.phrases.action(v)
		advice, _, _ := strings.Cut(text, " (")
		if text != "" && !seen[advice] {
			seen[advice] = true
			points = append(points, w.point(text, v))
		}
	}
	if len(points) < 3 {
		points = append(points, w.point(w.phrases.watch, w.first(ground.Alarm), w.first(ground.Transaction)))
	}
	return points
}
