package api

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	promapi "github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// prometheusAt is a house over a project with metrics, and the official client
// of it, as Grafana's data source would be set up: a URL and a token.
func prometheusAt(t *testing.T, now time.Time) (*house, promv1.API) {
	t.Helper()
	h := newHouse(t, metadbtest.SQLite(t), clickhousetest.New(t), nil)
	h.migrateEngine()
	w := metric.NewWriter(h.engine, metric.Limits{}, clickhouse.BatchOptions{MaxDelay: time.Millisecond})
	b := w.Begin(h.first.Project.ID, 14, now)
	add := func(at time.Time, v float64, ls ...string) {
		s, err := b.Series(labels.FromStrings(ls...))
		h.must(err)
		h.must(b.Sample(s, 0, at.UnixMilli(), v))
	}
	for i := range 11 {
		at := now.Add(time.Duration(i-10) * time.Minute)
		add(at, float64(60*i), "__name__", "requests_total", "service", "api", "path", `/a"b\`)
		add(at, math.NaN(), "__name__", "odd", "service", "web")
	}
	s, err := b.Series(labels.FromStrings("__name__", "sizes"))
	h.must(err)
	h.must(b.Histogram(s, 0, now.UnixMilli(), &histogram.Histogram{Count: 3, Sum: 4.5, PositiveSpans: []histogram.Span{{Length: 2}}, PositiveBuckets: []int64{1, 1}}))
	b.Metadata(metric.Metadata{Metric: "requests_total", Type: "counter", Unit: "requests", Help: "How many."})
	b.Metadata(metric.Metadata{Metric: "odd", Type: "gauge"})
	h.must(w.Write(t.Context(), b))
	h.must(w.Close(t.Context()))

	server := httptest.NewServer(h.handler)
	t.Cleanup(server.Close)
	token := h.admin().withToken(tenant.ScopeProjectRead).token
	client, err := promapi.NewClient(promapi.Config{Address: server.URL + h.projectPath("/prometheus"), RoundTripper: bearing(token)})
	h.must(err)
	return h, promv1.NewAPI(client)
}

type bearing string

func (b bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func TestPrometheusOwnClientReadsAProject(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	_, api := prometheusAt(t, now)
	ctx := t.Context()
	f := func(query, want string) {
		t.Helper()
		value, warnings, _, err := api.Query(ctx, query, now)
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v, %v", query, err, warnings)
			return
		}
		if got := strings.ReplaceAll(value.String(), model.TimeFromUnixNano(now.UnixNano()).String(), "NOW"); got != want {
			t.Errorf("%s yields %s, want %s", query, got, want)
		}
	}
	f(`sum by (service) (rate(requests_total[5m]))`, `{service="api"} => 1 @[NOW]`)
	f(`odd`, `odd{service="web"} => NaN @[NOW]`)
	f(`1e22 / 0`, `scalar: +Inf @[NOW]`)
	f(`nothing`, ``)
	f(`histogram_count(sizes)`, `{} => 3 @[NOW]`)
	value, _, _, err := api.Query(ctx, `sizes`, now)
	if err != nil || len(value.(model.Vector)) != 1 || value.(model.Vector)[0].Histogram == nil || len(value.(model.Vector)[0].Histogram.Buckets) != 2 {
		t.Errorf("a histogram: %v, %v", value, err)
	}

	over, _, _, err := api.QueryRange(ctx, `requests_total`, promv1.Range{Start: now.Add(-2 * time.Minute), End: now, Step: time.Minute})
	if err != nil || len(over.(model.Matrix)) != 1 || len(over.(model.Matrix)[0].Values) != 3 || over.(model.Matrix)[0].Metric["path"] != `/a"b\` {
		t.Errorf("a range: %v, %v", over, err)
	}
	series, _, _, err := api.Series(ctx, []string{`{service=~".+"}`, `odd`}, now.Add(-time.Hour), now)
	if err != nil || len(series) != 2 {
		t.Errorf("series: %v, %v", series, err)
	}
	names, _, _, err := api.LabelNames(ctx, nil, now.Add(-time.Hour), now)
	if err != nil || !slices.Equal(names, model.LabelNames{"__name__", "path", "service"}) {
		t.Errorf("labels: %v, %v", names, err)
	}
	values, _, _, err := api.LabelValues(ctx, "service", []string{`odd`}, now.Add(-time.Hour), now)
	if err != nil || len(values) != 1 || values[0] != "web" {
		t.Errorf("values: %v, %v", values, err)
	}
	said, err := api.Metadata(ctx, "requests_total", "1")
	if err != nil || len(said) != 1 || said["requests_total"][0] != (promv1.Metadata{Type: "counter", Help: "How many.", Unit: "requests"}) {
		t.Errorf("metadata: %v, %v", said, err)
	}
	if info, err := api.Buildinfo(ctx); err != nil || info.Version != prometheusVersion {
		t.Errorf("buildinfo: %+v, %v", info, err)
	}
	limited, warnings, _, err := api.Query(ctx, `{service=~".+"}`, now, promv1.WithLimit(1))
	if err != nil || len(limited.(model.Vector)) != 1 || len(warnings) != 1 {
		t.Errorf("limited: %v, %v, %v", limited, warnings, err)
	}
}

func TestPrometheusErrorsHaveItsShapeAndNameThePlace(t *testing.T) {
	h, api := prometheusAt(t, time.Now())
	_, _, _, err := api.Query(t.Context(), "sum(rate(x[5m])", time.Now())
	var failed *promv1.Error
	if !errors.As(err, &failed) || failed.Type != promv1.ErrBadData || !strings.Contains(failed.Msg, "1:16: parse error") {
		t.Errorf("a query that cannot be parsed: %v", err)
	}
	c := h.admin()
	f := func(path, query string, status int, kind, message string) {
		t.Helper()
		answer := c.do(http.MethodGet, h.projectPath("/prometheus/api/v1/"+path+"?"+query), nil, nil)
		var got PrometheusAnswer
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if answer.Code != status || got.Status != "error" || got.ErrorType != kind || !strings.Contains(got.Error, message) {
			t.Errorf("%s?%s: %d %s", path, query, answer.Code, answer.Body)
		}
	}
	f("query", "", 400, "bad_data", "parse error")
	f("query", "query=up&time=tomorrow", 400, "bad_data", `invalid parameter "time"`)
	f("query", "query=up&limit=-1", 400, "bad_data", `"limit"`)
	f("query", "query="+url.QueryEscape("{service=~'.+'} + on() {service=~'.+'}"), 422, "execution", "many-to-many")
	f("query_range", "query=up&start=0&end=100000000&step=1", 400, "bad_data", "maximum resolution")
	f("query_range", "query=up&start=0&end=1", 400, "bad_data", `"step"`)
	f("series", "", 400, "bad_data", "match[]")
	f("series", "match[]="+url.QueryEscape("{a=''}"), 400, "bad_data", "match[]")
	f("label/%FF/values", "", 400, "bad_data", "label")
	f("query", "query=requests_total&timeout=1e-9", 503, "timeout", "")
}

func TestPrometheusParametersComeAsAFormToo(t *testing.T) {
	h, _ := prometheusAt(t, time.Now())
	c := h.admin()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, h.projectPath("/prometheus/api/v1/query"), strings.NewReader("query=1%2B1"))
	r.Host = "127.0.0.1:8080"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(c.cookie)
	answer := httptest.NewRecorder()
	h.handler.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), `"resultType":"scalar"`) || !strings.Contains(answer.Body.String(), `"2"]`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

// The backend of Grafana's data source tries POST first, with what it was given as a form, and comes back with GET after
// a 405 or a 400, but takes a 404 for a Prometheus that does not have it.
func TestPrometheusIsAskedAsGrafanasDataSourceAsks(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	h, _ := prometheusAt(t, now)
	c := h.admin().withToken(tenant.ScopeProjectRead)
	server := httptest.NewServer(h.handler)
	defer server.Close()
	ask := func(method, path string, values url.Values) (int, string) {
		t.Helper()
		address, body := server.URL+h.projectPath("/prometheus/")+path, ""
		if method == http.MethodGet {
			address += "?" + values.Encode()
		} else {
			body = values.Encode()
		}
		r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		h.must(err)
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		r.Header.Set("Accept-Encoding", "gzip, deflate")
		response, err := bearing(c.token).RoundTrip(r)
		h.must(err)
		defer func() { h.must(response.Body.Close()) }()
		var reader io.Reader = response.Body
		if response.Header.Get("Content-Encoding") == "gzip" {
			reader, err = gzip.NewReader(response.Body)
			h.must(err)
		}
		text, err := io.ReadAll(reader)
		h.must(err)
		return response.StatusCode, string(text)
	}
	f := func(path string, values url.Values, has string) {
		t.Helper()
		status, text := ask(http.MethodPost, path, values)
		if status == http.StatusMethodNotAllowed {
			status, text = ask(http.MethodGet, path, values)
		}
		if status != http.StatusOK || !strings.Contains(text, `"status":"success"`) || !strings.Contains(text, has) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	seconds := func(at time.Time) string {
		return strconv.FormatFloat(float64(at.Unix())+float64(at.Nanosecond())/1e9, 'f', -1, 64)
	}
	span := url.Values{"start": {seconds(now.Add(-time.Hour))}, "end": {seconds(now.Add(time.Second / 2))}}
	with := func(more url.Values) url.Values {
		all := maps.Clone(span)
		maps.Copy(all, more)
		return all
	}
	f("api/v1/query", url.Values{"query": {"1+1"}, "time": {"4"}}, `"2"`) // how it is tested
	f("api/v1/status/buildinfo", nil, `"version"`)
	f("api/v1/query", url.Values{"query": {"requests_total"}, "time": {seconds(now)}, "timeout": {"30s"}}, `"600"`)
	f("api/v1/query_range", with(url.Values{"query": {"requests_total"}, "step": {"15"}}), `"matrix"`)
	f("api/v1/labels", with(url.Values{"match[]": {"requests_total"}, "limit": {"40000"}}), `"path"`)
	f("api/v1/label/__name__/values", with(url.Values{"limit": {"40000"}}), `"requests_total"`)
	f("api/v1/series", with(url.Values{"match[]": {"requests_total"}}), `"api"`)
	f("api/v1/metadata", url.Values{"limit": {"40000"}}, `"How many."`)
}
