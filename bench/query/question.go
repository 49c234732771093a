package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/load"
)

// question is what a screen asks, in as many variations as it is asked.
type question struct {
	name   string
	key    string        // in the line RESULT; "" for none
	target time.Duration // of the 95th percentile; 0 for none
	jaeger string        // published for Jaeger 2; "" for nothing
	// path is that of the API's description below the project, needs a query parameter it must have.
	path, needs string
	missing     string // why it cannot be asked, "" when it can
	// ask returns the path and query of the n-th variation, and what its answer must be.
	ask func(n int) (resource string, query url.Values, check func(body []byte) error)
}

const projectPath = "/api/v1/projects/{project}"

// why says why it cannot be asked, "" when it can.
func (q *question) why(u *user) string {
	parameters, known := u.known[projectPath+q.path]
	if !known || q.needs != "" && !slices.Contains(parameters, q.needs) {
		return "not built"
	}
	return q.missing
}

// decode reads an answer and then checks it.
func decode[T any](check func(T) error) func([]byte) error {
	return func(body []byte) error {
		var answer T
		if err := json.Unmarshal(body, &answer); err != nil {
			return err
		}
		return check(answer)
	}
}

// differ says that something is not as it was sent.
func differ[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: %v, sent were %v", what, got, want)
	}
	return nil
}

// counted is an item of a list with rate, errors and duration.
type counted struct {
	Service  string `json:"service"`
	Endpoint string `json:"endpoint"`
	Now      struct {
		Count int `json:"count"`
	} `json:"now"`
}

type list[T any] struct {
	Items []T `json:"items"`
	Total int `json:"total"`
}

type transaction struct {
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
}

// names checks that a list of Jaeger's query API has all of these.
func names(want []string) func([]byte) error {
	return decode(func(got struct {
		Data []string `json:"data"`
	}) error {
		for _, name := range want {
			if !slices.Contains(got.Data, name) {
				return fmt.Errorf("%q is not among %q", name, got.Data)
			}
		}
		return nil
	})
}

// otlpTrace is a trace in the JSON encoding of OTLP.
type otlpTrace struct {
	ResourceSpans []struct {
		ScopeSpans []struct {
			Spans []otlpSpan `json:"spans"`
		} `json:"scopeSpans"`
	} `json:"resourceSpans"`
}

type otlpSpan struct {
	SpanID string `json:"spanId"`
}

func (t *otlpTrace) spans() (all []otlpSpan) {
	for _, resource := range t.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			all = append(all, scope.Spans...)
		}
	}
	return all
}

// oneOfTen checks that a trace has its ten spans, x among them.
func oneOfTen[T any](spans []T, id func(T) string, x load.Transaction) error {
	want := fmt.Sprintf("%016x", x.SpanID)
	if !slices.ContainsFunc(spans, func(s T) bool { return id(s) == want }) {
		return fmt.Errorf("trace %x is without span %s", x.TraceID, want)
	}
	return differ("spans of the trace", len(spans), spansPerTrace)
}

// page checks a page of transactions against the newest of all that were sent.
func page(newest []load.Transaction) func([]byte) error {
	return decode(func(got list[transaction]) error {
		if err := differ("transactions of the page", len(got.Items), len(newest)); err != nil {
			return err
		}
		for i, x := range newest {
			want := transaction{hex.EncodeToString(x.TraceID[:]), fmt.Sprintf("%016x", x.SpanID)}
			if err := differ(fmt.Sprintf("transaction %d", i+1), got.Items[i], want); err != nil {
				return err
			}
		}
		return nil
	})
}

// total checks the answer to how many there are.
func total(want int) func([]byte) error {
	return decode(func(got list[transaction]) error { return differ("transactions in all", got.Total, want) })
}

// sums checks the counts of a list by name.
func sums(name func(counted) string, want map[string]int) func([]byte) error {
	return decode(func(got list[counted]) error {
		counts := map[string]int{}
		for _, item := range got.Items {
			counts[name(item)] += item.Now.Count
		}
		if !maps.Equal(counts, want) {
			return fmt.Errorf("counts %v, sent were %v", counts, want)
		}
		return nil
	})
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// questions lists what is asked, in the order of the report.
func questions(f *filling, sent *truth) []*question {
	services := sent.services()
	service := func(n int) string { return services[n*7%len(services)] }
	sample := func(n int) load.Transaction { return sent.samples[n%len(sent.samples)] }
	whole := func(more ...string) url.Values {
		query := url.Values{"from": {instant(f.until.Add(-f.over))}, "to": {instant(f.until.Add(time.Millisecond))}}
		for i := 0; i < len(more); i += 2 {
			query.Set(more[i], more[i+1])
		}
		return query
	}
	dots := min(100_000, len(sent.ended))
	return []*question{
		{name: "names of the services", jaeger: "3 ms", path: "/jaeger/api/services", ask: func(int) (string, url.Values, func([]byte) error) {
			return "/jaeger/api/services", nil, names(services)
		}},
		{name: "names of a service's operations", jaeger: "4 ms", path: "/jaeger/api/services/{service}/operations", ask: func(n int) (string, url.Values, func([]byte) error) {
			name := service(n)
			return "/jaeger/api/services/" + name + "/operations", nil, names(slices.Collect(maps.Keys(sent.perEndpoint[name])))
		}},
		{name: "services of the last hour", path: "/services", ask: func(int) (string, url.Values, func([]byte) error) {
			query := whole("sort", "name", "from", instant(f.until.Add(-time.Hour)))
			return "/services", query, decode(func(got list[counted]) error {
				var names []string
				for _, item := range got.Items {
					names = append(names, item.Service)
				}
				return differ("services", strings.Join(names, " "), strings.Join(services, " "))
			})
		}},
		{name: "endpoints of a service, 24 h", path: "/services/{service}/endpoints", ask: func(n int) (string, url.Values, func([]byte) error) {
			name := service(n)
			return "/services/" + name + "/endpoints", whole(), sums(func(c counted) string { return c.Endpoint }, sent.perEndpoint[name])
		}},
		{name: "trace by id, as the screen draws it", target: 15 * time.Millisecond, path: "/traces/{trace}", ask: func(n int) (string, url.Values, func([]byte) error) {
			x := sample(n)
			id := hex.EncodeToString(x.TraceID[:])
			return "/traces/" + id, nil, decode(func(got struct {
				TraceID string        `json:"trace_id"`
				Spans   []transaction `json:"spans"`
			}) error {
				if err := differ("trace", got.TraceID, id); err != nil {
					return err
				}
				return oneOfTen(got.Spans, func(s transaction) string { return s.SpanID }, x)
			})
		}},
		{name: "trace by id, with all its attributes", key: "trace_by_id_p95_ms", target: 15 * time.Millisecond, jaeger: "101 ms", path: "/traces/{trace}/otlp", ask: func(n int) (string, url.Values, func([]byte) error) {
			x := sample(n)
			return "/traces/" + hex.EncodeToString(x.TraceID[:]) + "/otlp", nil, decode(func(got otlpTrace) error {
				return oneOfTen(got.spans(), func(s otlpSpan) string { return s.SpanID }, x)
			})
		}},
		{name: "newest 50 transactions of a service", key: "newest_p95_ms", target: 30 * time.Millisecond, jaeger: "37 ms", path: "/transactions", ask: func(n int) (string, url.Values, func([]byte) error) {
			name := service(n)
			return "/transactions", whole("service", name), page(sent.newest[name])
		}},
		{name: "how many transactions a service has, 24 h", path: "/transactions/count", ask: func(n int) (string, url.Values, func([]byte) error) {
			name := service(n)
			return "/transactions/count", whole("service", name), total(sent.perService[name])
		}},
		{name: "newest 50 of a service that took 100 ms and more", jaeger: "43 ms", path: "/transactions", ask: func(n int) (string, url.Values, func([]byte) error) {
			name := service(n)
			return "/transactions", whole("service", name, "min_elapsed_ns", strconv.FormatInt(slow.Nanoseconds(), 10)), page(sent.newestSlow[name])
		}},
		{name: "transactions with an attribute: one of 100,000 customers", key: "attr_p95_ms", target: 100 * time.Millisecond, jaeger: "1,769 ms", path: "/transactions", needs: "q", ask: func(n int) (string, url.Values, func([]byte) error) {
			x := sample(n)
			return "/transactions", whole("q", "attr.customer.id="+x.Customer), decode(func(got list[transaction]) error {
				return differ("transactions of customer "+x.Customer, len(got.Items), min(sent.perCustomer[x.Customer], newestRows))
			})
		}},
		{name: "service overview, 24 h", key: "overview_p95_ms", target: 60 * time.Millisecond, path: "/services", ask: func(int) (string, url.Values, func([]byte) error) {
			return "/services", whole(), sums(func(c counted) string { return c.Service }, sent.perService)
		}},
		{name: fmt.Sprintf("scatter of %s transactions", thousands(int64(dots))), key: "scatter_p95_ms", target: 200 * time.Millisecond, path: "/scatter", ask: func(int) (string, url.Values, func([]byte) error) {
			query := whole("from", instant(time.Unix(0, sent.ended[len(sent.ended)-dots])))
			return "/scatter", query, decode(func(got struct {
				Total   int     `json:"total"`
				Thinned bool    `json:"thinned"`
				Ended   []int64 `json:"ended"`
				Elapsed []int64 `json:"elapsed"`
			}) error {
				if got.Thinned || len(got.Ended) != got.Total || len(got.Elapsed) != got.Total {
					return fmt.Errorf("%d dots of %d, thinned: %t", len(got.Ended), got.Total, got.Thinned)
				}
				return differ("dots", got.Total, dots)
			})
		}},
		{name: "SQL page, 24 h", key: "sql_p95_ms", target: 150 * time.Millisecond, path: "/statements", ask: func(int) (string, url.Values, func([]byte) error) {
			return "/statements", whole("limit", "500"), decode(func(got list[counted]) error {
				calls := 0
				for _, item := range got.Items {
					calls += item.Now.Count
				}
				return differ("calls of statements", calls, sent.statements)
			})
		}},
		{name: fmt.Sprintf("log word search over 24 h: in %d of %s records", sent.rareWords, thousands(int64(f.logs))), key: "logword_p95_ms", target: 100 * time.Millisecond, path: "/logs", ask: func(int) (string, url.Values, func([]byte) error) {
			return "/logs", whole("q", load.RareWord), decode(func(got list[struct {
				ID   string `json:"id"`
				Body string `json:"body"`
			}]) error {
				ids := map[string]bool{}
				for _, r := range got.Items {
					if ids[r.ID] = true; !strings.Contains(r.Body, load.RareWord) {
						return fmt.Errorf("record %s is %q", r.ID, r.Body)
					}
				}
				return differ("records with the word", len(ids), min(sent.rareWords, 100))
			})
		}},
		{name: fmt.Sprintf("PromQL sum by(service)(rate(x[5m])), %d series × %s", f.series, hours(time.Duration(f.samples)*scrape)), key: "promql_p95_ms", target: 300 * time.Millisecond, path: "/prometheus/api/v1/query_range", ask: func(int) (string, url.Values, func([]byte) error) {
			last := f.scraped(f.samples - 1)
			query := url.Values{"query": {"sum by(service)(rate(" + metricName + "[5m]))"}, "step": {"60"}, "start": {instant(f.scraped(0))}, "end": {instant(last)}}
			return "/prometheus/api/v1/query_range", query, decode(func(got promAnswer) error { return got.check(f.series) })
		}},
	}
}

// promAnswer is a matrix of the Prometheus HTTP API.
type promAnswer struct {
	Data struct {
		Result []struct {
			Metric map[string]string `json:"metric"`
			Values [][2]any          `json:"values"`
		} `json:"result"`
	} `json:"data"`
}

func (a *promAnswer) check(series int) error {
	want := ratePerService(series)
	if err := differ("services", len(a.Data.Result), len(want)); err != nil {
		return err
	}
	for _, r := range a.Data.Result {
		name := r.Metric["service"]
		for i, v := range r.Values {
			text, _ := v[1].(string)
			rate, err := strconv.ParseFloat(text, 64)
			// Before five minutes have passed rate extrapolates.
			if err != nil || i > 5 && math.Abs(rate-want[name]) > 1e-6*want[name] {
				return fmt.Errorf("rate of %s at %v is %q, sent was %g", name, v[0], text, want[name])
			}
		}
	}
	return nil
}
