package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// prometheusVersion is the Prometheus whose HTTP API and PromQL these are, that
// of the module in go.mod: askers decide by it what they may ask for.
const prometheusVersion = "3.16.0"

// PrometheusAnswer is the envelope of every answer of the Prometheus HTTP API.
type PrometheusAnswer struct {
	Status    string   `json:"status" enum:"success,error"`
	Data      any      `json:"data,omitempty" doc:"as the Prometheus HTTP API describes it for this path"`
	ErrorType string   `json:"errorType,omitempty" doc:"bad_data, execution, timeout, canceled, not_found or internal"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	Infos     []string `json:"infos,omitempty"`
}

// InPrometheus is a request of the Prometheus HTTP API. Its parameters come in
// the query, or in a form as body; the types that embed it describe them, and
// handlers read them here.
type InPrometheus struct {
	InProject
	form url.Values
}

// Resolve implements huma.Resolver.
func (in *InPrometheus) Resolve(hc huma.Context) []error {
	r, _ := humago.Unwrap(hc)
	if err := r.ParseForm(); err != nil {
		return []error{&huma.ErrorDetail{Message: "the form cannot be read", Location: "body"}}
	}
	in.form = r.Form
	return nil
}

func (in *InPrometheus) request() (project.ID, url.Values) { return in.Project, in.form }

// The parameters of each path, all of them text: Prometheus' forms of a time
// are seconds with a fraction and RFC 3339, of a duration seconds and 5m.
type (
	// InPromQuery is an instant query.
	InPromQuery struct {
		InPrometheus
		Query    string `query:"query" doc:"PromQL"`
		Time     string `query:"time" doc:"default now"`
		Timeout  string `query:"timeout"`
		Lookback string `query:"lookback_delta" doc:"how old a sample may be; default 5m"`
		Limit    string `query:"limit" doc:"series; 0 = no limit"`
	}
	// InPromRange is a range query.
	InPromRange struct {
		InPrometheus
		Query    string `query:"query" doc:"PromQL"`
		Start    string `query:"start"`
		End      string `query:"end"`
		Step     string `query:"step"`
		Timeout  string `query:"timeout"`
		Lookback string `query:"lookback_delta" doc:"how old a sample may be; default 5m"`
		Limit    string `query:"limit" doc:"series; 0 = no limit"`
	}
	// InPromLabels selects series, by the UTC days on which they had samples.
	InPromLabels struct {
		InPrometheus
		Match []string `query:"match[],explode" doc:"series selectors"`
		Start string   `query:"start" doc:"default as far back as there is any"`
		End   string   `query:"end" doc:"default now"`
		Limit string   `query:"limit" doc:"0 = no limit"`
	}
	// InPromLabel names a label, too.
	InPromLabel struct {
		InPromLabels
		Label string `path:"label" maxLength:"1024"`
	}
	// InPromMetadata selects metadata.
	InPromMetadata struct {
		InPrometheus
		Metric         string `query:"metric" doc:"default all"`
		Limit          string `query:"limit" doc:"metrics; default no limit"`
		LimitPerMetric string `query:"limit_per_metric" doc:"default no limit"`
	}
	// InPromFormat is a query to be laid out.
	InPromFormat struct {
		InPrometheus
		Query string `query:"query" doc:"PromQL"`
	}
)

// prometheusData is what a handler answers with: data is encoded as JSON unless
// it is a *metric.Answer.
type prometheusData struct {
	data            any
	warnings, infos []string
}

func (s *server) registerPrometheus() {
	prometheus(s, "query", "query", "PromQL at one time", true, s.promQuery)
	prometheus(s, "query-range", "query_range", "PromQL over a range of time", true, s.promRange)
	prometheus(s, "series", "series", "Series that match", true, s.promSeries)
	prometheus(s, "labels", "labels", "Names of labels", true, s.promLabels)
	prometheus(s, "label-values", "label/{label}/values", "Values of a label", false, s.promLabelValues)
	prometheus(s, "metadata", "metadata", "Type, unit and help of metrics", false, s.promMetadata)
	prometheus(s, "format-query", "format_query", "PromQL laid out", true, s.promFormat)
	prometheus(s, "buildinfo", "status/buildinfo", "The Prometheus this compares with", false,
		func(context.Context, *InPrometheus) (prometheusData, error) {
			return prometheusData{data: map[string]string{"version": prometheusVersion, "revision": s.opts.Version, "branch": "", "buildUser": "", "buildDate": "", "goVersion": runtime.Version()}}, nil
		})
}

// prometheus registers a path of the Prometheus HTTP API below a project, so
// that .../prometheus is the URL of a Prometheus to its clients. It goes
// through register, and with it through tenant.Can; only what comes after, form
// and envelope, is Prometheus' own.
func prometheus[I any](s *server, id, path, summary string, posts bool, handle func(context.Context, *I) (prometheusData, error)) {
	envelope := map[string]*huma.MediaType{"application/json": {
		Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[PrometheusAnswer](), true, "PrometheusAnswer"),
	}}
	op := get("prometheus-"+id, "/api/v1/projects/{project}/prometheus/api/v1/"+path, summary+" (Prometheus HTTP API)")
	answer := func(ctx context.Context, _ tenant.Actor, in *I) (*huma.StreamResponse, error) { //nolint:unparam // what register takes
		out, err := handle(ctx, in)
		if err != nil {
			return s.promError(ctx, err), nil
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			hc.SetHeader("Content-Type", "application/json")
			_ = writePrometheus(hc.BodyWriter(), out) // the caller is gone when this fails
		}}, nil
	}
	add := func(op huma.Operation) {
		op.Responses = map[string]*huma.Response{"default": s.failure}
		for status, text := range map[int]string{200: "OK", 400: "bad_data", 422: "execution", 503: "timeout"} {
			op.Responses[strconv.Itoa(status)] = &huma.Response{Description: text, Content: envelope}
		}
		register(s, tenant.ProjectRead, op, answer)
	}
	add(op)
	if posts {
		op.OperationID, op.Method = op.OperationID+"-by-post", http.MethodPost
		op.Description = "The same with its parameters as application/x-www-form-urlencoded."
		add(op)
	}
}

// promError is the one place where a fault becomes an error of the Prometheus
// HTTP API: what names a field is bad_data, other faults of the query execution.
func (s *server) promError(ctx context.Context, err error) *huma.StreamResponse {
	p := problem(ctx, s.log, err, false)
	kind := "internal"
	switch p.Kind {
	case fault.Invalid.String():
		kind = "execution"
		if p.Field != "" {
			kind, p.Status = "bad_data", http.StatusBadRequest
		}
	case fault.Unavailable.String(), fault.RateLimited.String():
		kind = "timeout"
	case "canceled":
		kind = "canceled"
	case fault.NotFound.String():
		kind = "not_found"
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		for name, values := range p.header {
			hc.SetHeader(name, values[0])
		}
		hc.SetHeader("Content-Type", "application/json")
		hc.SetStatus(p.Status)
		_ = encode(hc.BodyWriter(), PrometheusAnswer{Status: "error", ErrorType: kind, Error: p.Detail}) // the caller is gone when this fails
	}}
}

func (s *server) promQuery(ctx context.Context, in *InPromQuery) (prometheusData, error) {
	p, form := in.request()
	at, err := promTime(form, "time", s.now())
	if err != nil {
		return prometheusData{}, err
	}
	return promAnswer(ctx, form, func(ctx context.Context, lookback time.Duration) (*metric.Answer, error) {
		return s.opts.Metrics.Instant(ctx, p, form.Get("query"), at, lookback)
	})
}

func (s *server) promRange(ctx context.Context, in *InPromRange) (prometheusData, error) {
	p, form := in.request()
	start, err := promTime(form, "start", time.Time{})
	if err != nil {
		return prometheusData{}, err
	}
	end, err := promTime(form, "end", time.Time{})
	if err != nil {
		return prometheusData{}, err
	}
	step, err := promDuration(form, "step")
	if err != nil {
		return prometheusData{}, err
	}
	return promAnswer(ctx, form, func(ctx context.Context, lookback time.Duration) (*metric.Answer, error) {
		return s.opts.Metrics.Range(ctx, p, form.Get("query"), start, end, step, lookback)
	})
}

// promAnswer asks within the timeout of the request, and takes away what is
// over its limit.
func promAnswer(ctx context.Context, form url.Values, ask func(context.Context, time.Duration) (*metric.Answer, error)) (prometheusData, error) {
	timeout, err := promDuration(form, "timeout")
	if err != nil {
		return prometheusData{}, err
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	lookback, err := promDuration(form, "lookback_delta")
	if err != nil {
		return prometheusData{}, err
	}
	limit, err := promLimit(form, "limit")
	if err != nil {
		return prometheusData{}, err
	}
	answer, err := ask(ctx, lookback)
	if err != nil {
		return prometheusData{}, err
	}
	out := prometheusData{data: answer, warnings: answer.Warnings, infos: answer.Infos}
	if answer.Truncate(limit) {
		out.warnings = append(out.warnings, truncated)
	}
	return out, nil
}

const truncated = "results truncated due to limit"

func (s *server) promSeries(ctx context.Context, in *InPromLabels) (prometheusData, error) {
	sets, limit, q, err := s.promSelect(in)
	if err != nil {
		return prometheusData{}, err
	}
	if len(sets) == 0 {
		return prometheusData{}, fault.New(fault.Invalid, "no match[] parameter provided").WithField("match[]")
	}
	found := []labels.Labels{}
	for _, matchers := range sets {
		set := q.Select(ctx, true, &storage.SelectHints{Start: math.MinInt64, End: math.MaxInt64, Func: "series"}, matchers...)
		for set.Next() {
			found = append(found, set.At().Labels())
		}
		if err := set.Err(); err != nil {
			return prometheusData{}, err
		}
	}
	slices.SortFunc(found, labels.Compare)
	found = slices.CompactFunc(found, labels.Equal)
	out := prometheusData{}
	if limit > 0 && len(found) > limit {
		found, out.warnings = found[:limit], []string{truncated}
	}
	out.data = found
	return out, nil
}

func (s *server) promLabels(ctx context.Context, in *InPromLabels) (prometheusData, error) {
	return s.promNames(in, func(q storage.Querier, matchers []*labels.Matcher) ([]string, error) {
		names, _, err := q.LabelNames(ctx, nil, matchers...)
		return names, err
	})
}

func (s *server) promLabelValues(ctx context.Context, in *InPromLabel) (prometheusData, error) {
	name := in.Label
	if strings.HasPrefix(name, "U__") {
		name = model.UnescapeName(name, model.ValueEncodingEscaping)
	}
	if !model.UTF8Validation.IsValidLabelName(name) {
		return prometheusData{}, fault.New(fault.Invalid, "invalid label name: %q", name).WithField("label")
	}
	return s.promNames(&in.InPromLabels, func(q storage.Querier, matchers []*labels.Matcher) ([]string, error) {
		values, _, err := q.LabelValues(ctx, name, nil, matchers...)
		return values, err
	})
}

// promNames lists names of every set of series that the request selects, or of
// all.
func (s *server) promNames(in *InPromLabels, list func(storage.Querier, []*labels.Matcher) ([]string, error)) (prometheusData, error) {
	sets, limit, q, err := s.promSelect(in)
	if err != nil {
		return prometheusData{}, err
	}
	if len(sets) == 0 {
		sets = [][]*labels.Matcher{nil}
	}
	names := []string{}
	for _, matchers := range sets {
		some, err := list(q, matchers)
		if err != nil {
			return prometheusData{}, err
		}
		names = append(names, some...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	out := prometheusData{}
	if limit > 0 && len(names) > limit {
		names, out.warnings = names[:limit], []string{truncated}
	}
	out.data = names
	return out, nil
}

// promSelect reads what selects series.
func (s *server) promSelect(in *InPromLabels) (sets [][]*labels.Matcher, limit int, q storage.Querier, err error) {
	p, form := in.request()
	if limit, err = promLimit(form, "limit"); err != nil {
		return nil, 0, nil, err
	}
	start, err := promTime(form, "start", time.Unix(0, 0))
	if err != nil {
		return nil, 0, nil, err
	}
	end, err := promTime(form, "end", s.now().Add(time.Hour))
	if err != nil {
		return nil, 0, nil, err
	}
	for _, selector := range form["match[]"] {
		matchers, err := s.opts.Metrics.Selector(selector)
		if err != nil {
			return nil, 0, nil, err
		}
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches("") }) {
			return nil, 0, nil, fault.New(fault.Invalid, "match[] must contain at least one non-empty matcher").WithField("match[]")
		}
		sets = append(sets, matchers)
	}
	q, err = s.opts.Metrics.Queryable(p).Querier(start.UnixMilli(), end.UnixMilli())
	return sets, limit, q, err
}

func (s *server) promMetadata(ctx context.Context, in *InPromMetadata) (prometheusData, error) {
	p, form := in.request()
	limit, err := promLimit(form, "limit")
	if err != nil {
		return prometheusData{}, err
	}
	each, err := promLimit(form, "limit_per_metric")
	if err != nil {
		return prometheusData{}, err
	}
	said, err := s.opts.Metrics.Metadata(ctx, p, form.Get("metric"))
	if err != nil {
		return prometheusData{}, err
	}
	type saying struct {
		Type string `json:"type"`
		Unit string `json:"unit"`
		Help string `json:"help"`
	}
	families := map[string][]saying{}
	for _, m := range said {
		have, known := families[m.Metric]
		if !known && limit > 0 && len(families) == limit || each > 0 && len(have) == each {
			continue
		}
		families[m.Metric] = append(have, saying{m.Type, m.Unit, m.Help})
	}
	return prometheusData{data: families}, nil
}

func (s *server) promFormat(_ context.Context, in *InPromFormat) (prometheusData, error) {
	_, form := in.request()
	text, err := s.opts.Metrics.Format(form.Get("query"))
	return prometheusData{data: text}, err
}

func invalidParameter(name string, format string, args ...any) error {
	return fault.New(fault.Invalid, "invalid parameter %q: %s", name, fmt.Sprintf(format, args...)).WithField(name)
}

func promTime(form url.Values, name string, missing time.Time) (time.Time, error) {
	text := form.Get(name)
	if text == "" && !missing.IsZero() {
		return missing, nil
	}
	if t, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(t) < math.MaxInt64/1e9 {
		return time.UnixMilli(int64(math.Round(t * 1000))).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	return time.Time{}, invalidParameter(name, "cannot parse %q to a valid timestamp", text)
}

func promDuration(form url.Values, name string) (time.Duration, error) {
	text := form.Get(name)
	if text == "" && name != "step" {
		return 0, nil
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(s) < math.MaxInt64/1e9 {
		return time.Duration(s * float64(time.Second)), nil
	}
	if d, err := model.ParseDuration(text); err == nil {
		return time.Duration(d), nil
	}
	return 0, invalidParameter(name, "cannot parse %q to a valid duration", text)
}

func promLimit(form url.Values, name string) (int, error) {
	text := form.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, invalidParameter(name, "%q is not a number from 0", text)
	}
	return n, nil
}
