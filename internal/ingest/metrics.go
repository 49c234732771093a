package ingest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
)

// metricSignal is the signal of metrics.
var metricSignal = signal{
	name: "metrics", items: "samples", rate: project.Metrics,
	method:  "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
	request: func() proto.Message { return &collector.ExportMetricsServiceRequest{} },
	ids: func(tree any) {
		each(tree, "resourceMetrics", "resource_metrics", func(resource any) {
			each(resource, "scopeMetrics", "scope_metrics", func(scope any) {
				each(scope, "metrics", "metrics", withoutExemplars)
			})
		})
	},
}

// withoutExemplars takes the exemplars out of a metric: they are not stored, and
// theirs are the only ids.
func withoutExemplars(metric any) {
	fields, _ := metric.(map[string]any)
	for _, data := range fields {
		each(data, "dataPoints", "data_points", func(point any) {
			if fields, ok := point.(map[string]any); ok {
				delete(fields, "exemplars")
			}
		})
	}
}

// metricsPort takes metrics. What they are called and which labels they carry
// is Prometheus' own translation, with its default settings but for promoted.
func (s *Server) metricsPort() port {
	return port{signal: &metricSignal, export: s.exportMetrics, waiting: s.metrics.Pending, close: s.metrics.Close}
}

// promoted are the attributes of a resource that become labels of each of its
// series, beside job and instance; the others are labels of target_info.
var promoted = prometheusremotewrite.NewPromoteResourceAttributes(config.OTLPConfig{
	PromoteResourceAttributes: []string{"service.name", "service.version", "deployment.environment", "deployment.environment.name", "host.name", "k8s.pod.name"},
})

// translation are the settings of Prometheus' translation. Delta samples are
// stored as they are: adding them up would need a memory that nodes share. They
// are read with sum_over_time.
var translation = prometheusremotewrite.Settings{
	AddMetricSuffixes: true, PromoteResourceAttributes: promoted, AllowDeltaTemporality: true, LookbackDelta: 5 * time.Minute,
	LabelNameUnderscoreSanitization: true, LabelNamePreserveMultipleUnderscores: true,
}

// exportMetrics implements port. A panic becomes an error.
func (s *Server) exportMetrics(ctx context.Context, tenant Tenant, request *body) (answer proto.Message, err error) {
	defer request.release()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	size := len(request.bytes)
	if err := request.hold(decodedMetrics * int64(size)); err != nil {
		return nil, err
	}
	decoded := pmetricotlp.NewExportRequest()
	if err := decoded.UnmarshalProto(request.bytes); err != nil {
		return nil, fault.New(fault.Invalid, "malformed ExportMetricsServiceRequest: %s", err)
	}
	fill := &translated{batch: s.metrics.Begin(tenant.Project, uint16(tenant.Retention.Metrics), s.now())}
	points := decoded.Metrics().DataPointCount()
	remarks, failures := prometheusremotewrite.NewPrometheusConverter(fill).FromMetrics(ctx, decoded.Metrics(), translation)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, failure := range joined(failures) {
		fill.refused.Add(1, failure)
	}
	fill.refused.Count += untranslated(decoded.Metrics())
	if err := s.writeMetrics(ctx, tenant, fill.batch); err != nil {
		return nil, err
	}
	stored := fill.batch.Samples()
	s.metrics.Release(fill.batch)
	rejected := rejections{refusedSample: int64(fill.refused.Count)}
	s.stats.stored(metricSignal.name, int64(stored), &rejected, size)
	warnings, _ := remarks.AsStrings("", metric.MaxReasons, 0)
	response := &collector.ExportMetricsServiceResponse{}
	if message := strings.Join(append(fill.refused.Reasons, warnings...), "; "); message != "" {
		response.PartialSuccess = &collector.ExportMetricsPartialSuccess{
			RejectedDataPoints: int64(min(fill.refused.Count, max(points, 1))), ErrorMessage: message,
		}
	}
	return response, nil
}

// writeMetrics stores the samples of a request, if the tenant's rate has room for
// them: how many they are is not known before.
func (s *Server) writeMetrics(ctx context.Context, tenant Tenant, batch *metric.Batch) error {
	paid, err := s.pay(tenant, &metricSignal, batch.Samples())
	if err != nil {
		return err
	}
	err = s.metrics.Write(ctx, batch)
	paid(err)
	return err
}

// decodedMetrics is about how many bytes a decoded request holds for each of its own.
const decodedMetrics = 6

// joined takes apart what errors.Join put together.
func joined(err error) []error {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range many.Unwrap() {
			all = append(all, joined(e)...)
		}
		return all
	}
	return []error{err}
}

// untranslated counts the samples that go with the metrics that are refused as
// a whole, but for the one of each that its error has counted.
func untranslated(all pmetric.Metrics) (n int) {
	for _, resource := range all.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				n += max(0, withoutTemporality(m)-1)
			}
		}
	}
	return n
}

// withoutTemporality returns the samples of a metric that does not say whether
// they are sums or differences, 0 of any other.
func withoutTemporality(m pmetric.Metric) int {
	temporality, n := pmetric.AggregationTemporalityCumulative, 0
	switch m.Type() {
	case pmetric.MetricTypeSum:
		temporality, n = m.Sum().AggregationTemporality(), m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		temporality, n = m.Histogram().AggregationTemporality(), m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		temporality, n = m.ExponentialHistogram().AggregationTemporality(), m.ExponentialHistogram().DataPoints().Len()
	}
	if temporality != pmetric.AggregationTemporalityUnspecified {
		return 0
	}
	return n
}

// translated is the batch as Prometheus' translation fills it. It implements
// storage.AppenderV2; what is refused is noted, and the translation goes on.
type translated struct {
	batch   *metric.Batch
	refused metric.Refusals
	last    labels.Labels // of ref
	ref     metric.Ref
	family  string // whose metadata were given last
}

// Append implements storage.AppenderV2.
func (t *translated) Append(_ storage.SeriesRef, ls labels.Labels, started, at int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	if err := t.append(ls, started, at, v, h, fh); err != nil {
		t.refused.Add(1, err)
		return 0, nil
	}
	if m := opts.Metadata; opts.MetricFamilyName != t.family && opts.MetricFamilyName != "" {
		t.family = opts.MetricFamilyName
		kind := m.Type
		if kind == "" {
			kind = model.MetricTypeUnknown
		}
		t.batch.Metadata(metric.Metadata{Metric: t.family, Type: string(kind), Unit: m.Unit, Help: m.Help})
	}
	return 0, nil
}

func (t *translated) append(ls labels.Labels, started, at int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram) (err error) {
	if t.last.IsEmpty() || !labels.Equal(t.last, ls) {
		if t.ref, err = t.batch.Series(ls); err != nil {
			t.last = labels.EmptyLabels()
			return err
		}
		t.last = ls
	}
	switch {
	case h != nil:
		return t.batch.Histogram(t.ref, started, at, h)
	case fh != nil:
		return t.batch.FloatHistogram(t.ref, started, at, fh)
	}
	return t.batch.Sample(t.ref, started, at, v)
}

// Commit implements storage.AppenderV2.
func (t *translated) Commit() error { return errNotOurs }

// Rollback implements storage.AppenderV2.
func (t *translated) Rollback() error { return errNotOurs }

// errNotOurs says that a batch is stored by its Writer, not by who fills it.
var errNotOurs = errors.New("the batch is not the translation's to end")
