package ground

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// known is everything the facts state, in the forms a text may repeat it.
type known struct {
	quantities []quantity
	counts     map[int]bool // derivable: how many statements, tables, services, …
	words      map[string]bool
	text       string // all facts, folded
	dates      map[string]bool
	days       map[string]bool // 06-17, and 17
	clocks     map[string]bool // 14:03 and 14:03:22
}

var (
	word     = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_$]*`)
	dateForm = regexp.MustCompile(`([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})`)
	clock    = regexp.MustCompile(`([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)?`)
)

// numbered are the values without a unit that number something.
var numbered = map[string]dimension{"step": step, "status": status}

// fold makes two writings of one thing equal: compatibility forms (full-width
// digits, ligatures) and case.
func fold(text string) string { return strings.ToLower(norm.NFKC.String(text)) }

func learn(b *Bundle) *known {
	k := &known{counts: map[int]bool{}, words: map[string]bool{}, dates: map[string]bool{}, days: map[string]bool{}, clocks: map[string]bool{}}
	var all strings.Builder
	distinct := map[string]map[string]bool{}
	kinds := map[string]int{}
	read := func(text string) { all.WriteString(text + "\n") }
	read(b.Title)
	for _, f := range b.Facts {
		kinds[f.Kind]++
		read(f.Text)
		if f.Step > 0 {
			k.quantities = append(k.quantities, quantity{value: float64(f.Step), unit: 1, dimension: step})
		}
		here := map[string]int{}
		for _, v := range f.Values {
			here[v.Name]++
			if distinct[v.Name] == nil {
				distinct[v.Name] = map[string]bool{}
			}
			distinct[v.Name][v.Value] = true
			value, err := strconv.ParseFloat(v.Value, 64)
			if u, ok := units[strings.ToLower(v.Unit)]; err == nil && ok {
				k.quantities = append(k.quantities, quantity{value: value, unit: u.factor, dimension: u.dimension})
				continue
			} else if err == nil && v.Unit == "ratio" {
				k.quantities = append(k.quantities, quantity{value: value, unit: 1, dimension: ratio})
				continue
			}
			if d, ok := numbered[v.Name]; err == nil && ok {
				k.quantities = append(k.quantities, quantity{value: value, unit: 1, dimension: d})
				continue
			}
			if !strings.Contains(f.Text, v.Value) {
				read(v.Value)
			}
		}
		for name, n := range here {
			if name == "table" || name == "instance" {
				k.counts[n] = true
			}
		}
		read(f.TraceID + " " + f.SpanID)
	}
	for _, n := range kinds {
		k.counts[n] = true
	}
	for _, name := range []string{"table", "service", "instance", "trace_id", "database", "address"} {
		k.counts[len(distinct[name])] = true
	}
	delete(k.counts, 0)
	text := norm.NFKC.String(all.String())
	k.read(text)
	k.text = strings.ToLower(text)
	for _, w := range word.FindAllString(k.text, -1) {
		k.words[w] = true
	}
	return k
}

// read takes in the numbers, dates and times of a text of the evidence.
func (k *known) read(text string) {
	for _, m := range dateForm.FindAllStringSubmatch(text, -1) {
		y, mo, d := pad(m[1]), pad(m[2]), pad(m[3])
		k.dates[y+"-"+mo+"-"+d] = true
		k.days[mo+"-"+d], k.days[d] = true, true
	}
	for _, m := range clock.FindAllStringSubmatch(text, -1) {
		h, mi := pad(m[1]), pad(m[2])
		k.clocks[h], k.clocks[h+":"+mi] = true, true
		if m[3] != "" {
			k.clocks[h+":"+mi+":"+m[3]] = true
		}
	}
	text = dateForm.ReplaceAllStringFunc(text, blank)
	text = clock.ReplaceAllStringFunc(text, blank)
	text = anID.ReplaceAllStringFunc(text, blank)
	text = identifier.ReplaceAllStringFunc(text, blankNumbered)
	for _, q := range quantities(text) {
		if q.dimension == often {
			q.dimension = count // ratios are values of their own
		}
		k.quantities = append(k.quantities, q)
	}
}

// holds reports whether the evidence names s, not as a piece of a longer name.
func (k *known) holds(s string) bool {
	s = fold(s)
	for at := 0; ; {
		i := strings.Index(k.text[at:], s)
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(s)
		if (start == 0 || !nameByte(k.text[start-1]) && k.text[start-1] != '.' || !nameByte(s[0])) && (end == len(k.text) || !nameByte(k.text[end])) {
			return true
		}
		at = start + 1
	}
}

// part reports whether the evidence names s, if only as a part between the
// hyphens and dots of a longer name.
func (k *known) part(s string) bool {
	for at := 0; ; {
		i := strings.Index(k.text[at:], s)
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(s)
		if (start == 0 || !wordByte(k.text[start-1])) && (end == len(k.text) || !wordByte(k.text[end])) {
			return true
		}
		at = start + 1
	}
}

func wordByte(b byte) bool { return letterByte(b) || b >= '0' && b <= '9' || b == '_' }

func nameByte(b byte) bool {
	return wordByte(b) || b == '-'
}

func pad(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

// blankNumbered blanks a name with digits in it: they are no number.
func blankNumbered(name string) string {
	if strings.ContainsAny(name, "0123456789") {
		return blank(name)
	}
	return name
}

func blank(s string) string { return strings.Repeat(" ", len(s)) }
