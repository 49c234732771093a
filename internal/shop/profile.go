package shop

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// Profile is what the profiler of a pod found in some time, and whose it is.
type Profile struct {
	Service, Environment, Instance, Version string
	Pprof                                   []byte // gzip
}

const (
	profileEvery = 10 * time.Second // how often a pod sends one
	pastProfile  = 30 * time.Minute // how much of the past one tells
	// sampleEvery is the time on a processor after which the profiler looks: asprof -e cpu -i 1ms.
	sampleEvery = time.Millisecond
)

// sample is a thread that the profiler of a pod found at work.
type sample struct {
	pod         *pod
	at          time.Time
	stack       []string // functions, the outermost first
	endpoint    string
	trace, span []byte
}

// work is something that code does; share is how much of its time, as against what it does besides.
type work struct {
	share int
	stack []string // of the shop's own code, the outermost first
}

// compute keeps a processor busy, which the profiler of the pod sees.
func (c call) compute(d time.Duration, endpoint string, doing []work) {
	total := 0
	for _, w := range doing {
		total += w.share
	}
	for range int(float64(d)/float64(sampleEvery) + c.words.Float64()) {
		n := c.words.IntN(total)
		i := slices.IndexFunc(doing, func(w work) bool { n -= w.share; return n < 0 })
		c.samples = append(c.samples, sample{pod: c.pod, at: c.now, stack: doing[i].stack, endpoint: endpoint, trace: c.id, span: c.parent})
	}
	c.spend(d)
}

// samples are what profilers have found and not sent.
type samples []sample

// take removes what was found before the given time and returns it as profiles, one for each pod and stretch
// of the given length.
func (s *samples) take(before time.Time, every time.Duration) (all []*Profile) {
	slices.SortStableFunc(*s, func(a, b sample) int {
		return cmp.Or(a.at.Truncate(every).Compare(b.at.Truncate(every)), cmp.Compare(a.pod.order, b.pod.order))
	})
	var kept, found samples
	for _, one := range *s {
		if !one.at.Before(before) {
			kept = append(kept, one)
			continue
		}
		if len(found) > 0 && (found[0].pod != one.pod || !found[0].at.Truncate(every).Equal(one.at.Truncate(every))) {
			all, found = append(all, found.profile(every)), nil
		}
		found = append(found, one)
	}
	if len(found) > 0 {
		all = append(all, found.profile(every))
	}
	*s = kept
	return all
}

// profile writes what was found on one pod in the format of pprof, labelled with spans as async-profiler
// does when OpenTelemetry tells it of them.
func (s samples) profile(over time.Duration) *Profile {
	cpu := &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, cpu}, DefaultSampleType: cpu.Type,
		PeriodType: cpu, Period: int64(sampleEvery),
		TimeNanos: s[0].at.Truncate(over).UnixNano(), DurationNanos: int64(over),
	}
	locations := map[string]*profile.Location{}
	for _, one := range s {
		out := &profile.Sample{Value: []int64{1, int64(sampleEvery)}, Label: map[string][]string{
			"span_name": {one.endpoint}, "trace_id": {hex.EncodeToString(one.trace)}, "span_id": {hex.EncodeToString(one.span)},
		}}
		for _, name := range slices.Backward(one.stack) {
			at := locations[name]
			if at == nil {
				id := uint64(len(locations) + 1)
				function := &profile.Function{ID: id, Name: name, SystemName: name}
				at = &profile.Location{ID: id, Line: []profile.Line{{Function: function}}}
				p.Function, p.Location, locations[name] = append(p.Function, function), append(p.Location, at), at
			}
			out.Location = append(out.Location, at)
		}
		p.Sample = append(p.Sample, out)
	}
	var packed bytes.Buffer
	if err := p.Write(&packed); err != nil {
		panic(err) // into memory
	}
	pod := s[0].pod
	return &Profile{Service: pod.name, Environment: environment, Instance: pod.instance, Version: pod.releases[pod.release].version, Pprof: packed.Bytes()}
}

// AdvanceProfiles returns the profiles that are due by now. Only catalog runs with a profiler.
func (s *Shop) AdvanceProfiles(now time.Time) []*Profile {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found.take(now.Truncate(profileEvery), profileEvery)
}

// servlet is what a Java service of the shop runs in, as a profiler names it; inside it are the functions given.
func servlet(inside ...string) (stack []string) {
	for _, frame := range slices.Backward(servletFrames) {
		if function, _, _ := strings.Cut(frame, "("); !strings.Contains(function, "reflect") {
			stack = append(stack, strings.TrimPrefix(function, "java.base/"))
		}
	}
	return append(stack, inside...)
}

// What catalog does while it answers.
const (
	showProduct    = "com.shop.catalog.web.ProductController.show"
	findProduct    = "com.shop.catalog.service.ProductService.find"
	searchProducts = "com.shop.catalog.web.ProductController.search"
	runSearch      = "com.shop.catalog.search.SearchService.search"
	writeJSON      = "com.fasterxml.jackson.databind.ObjectMapper.writeValueAsBytes"
)

var (
	showing = []work{
		{5, servlet(showProduct, findProduct, "com.shop.catalog.cache.ProductCache.decode", "com.fasterxml.jackson.databind.ObjectMapper.readValue", "com.fasterxml.jackson.core.json.UTF8StreamJsonParser.nextFieldName")},
		{3, servlet(showProduct, findProduct, "com.shop.catalog.price.PriceRules.apply", "java.math.BigDecimal.divide")},
		{1, servlet(showProduct, findProduct, "com.shop.catalog.price.PriceRules.apply", "java.util.HashMap.getNode")},
		{3, servlet(showProduct, writeJSON, "com.fasterxml.jackson.databind.ser.BeanSerializer.serialize", "com.fasterxml.jackson.core.json.UTF8JsonGenerator.writeString")},
		{1, servlet("org.apache.tomcat.util.http.MimeHeaders.setValue")},
	}
	searching = []work{
		{6, servlet(searchProducts, runSearch, "com.shop.catalog.search.Highlighter.mark", "java.util.regex.Matcher.find", "java.util.regex.Pattern$BmpCharProperty.match")},
		{5, servlet(searchProducts, runSearch, "com.shop.catalog.search.Ranking.order", "java.util.TimSort.sort", "com.shop.catalog.search.Ranking.compare")},
		{3, servlet(searchProducts, runSearch, "com.shop.catalog.search.ProductMapper.map", "org.postgresql.jdbc.PgResultSet.getString")},
		{3, servlet(searchProducts, writeJSON, "com.fasterxml.jackson.databind.ser.BeanSerializer.serialize", "com.fasterxml.jackson.core.json.UTF8JsonGenerator.writeString")},
	}
)
