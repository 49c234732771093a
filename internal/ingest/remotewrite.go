package ingest

import (
	"context"
	"fmt"
	"math"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metric"
)

// Prometheus remote write, 1.0 and 2.0.
// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/

// remoteWritePath is where Prometheus itself takes remote write.
const remoteWritePath = "/api/v1/write"

// The messages, as the content type names them.
const (
	writeV1 = "prometheus.WriteRequest"
	writeV2 = "io.prometheus.write.v2.Request"
)

// remoteDecoded is about how many bytes a decoded request holds for each of its own.
const remoteDecoded = 3

// written is what became of a request: how much of it was stored, and why the
// rest was not.
type written struct {
	samples, histograms int
	rejected            rejections
	refused             metric.Refusals
}

func (s *Server) remoteWrite(w http.ResponseWriter, r *http.Request) {
	s.stats.requests.Add(1)
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "send samples with POST", http.StatusMethodNotAllowed)
		return
	}
	message, done, err := s.receiveRemoteWrite(r)
	if message == writeV2 {
		w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", strconv.Itoa(done.samples))
		w.Header().Set("X-Prometheus-Remote-Write-Histograms-Written", strconv.Itoa(done.histograms))
		w.Header().Set("X-Prometheus-Remote-Write-Exemplars-Written", "0")
	}
	switch {
	case err != nil:
		st, code, retry := answer(s.log, err)
		s.stats.refused(st.Code())
		if retry > 0 {
			_ = http.NewResponseController(w).EnableFullDuplex() // as in refuse
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(retry.Seconds()))))
		}
		if code == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		http.Error(w, st.Message(), code)
	case done.refused.Count > 0:
		// 400 tells the sender not to repeat: what could be stored is.
		http.Error(w, fmt.Sprintf("%d samples were refused, the others are stored: %s", done.refused.Count, strings.Join(done.refused.Reasons, "; ")), http.StatusBadRequest)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// receiveRemoteWrite reads a request and stores what it brings.
func (s *Server) receiveRemoteWrite(r *http.Request) (message string, done written, err error) {
	tenant, err := s.authenticate(r)
	if err != nil {
		return "", written{}, err
	}
	content, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	message = parameters["proto"]
	if message == "" {
		message = writeV1
	}
	if err != nil || content != typeProtobuf || message != writeV1 && message != writeV2 {
		return "", written{}, fault.New(fault.Unsupported, "content type %q is not supported: send %s with proto=%s or proto=%s", r.Header.Get("Content-Type"), typeProtobuf, writeV1, writeV2)
	}
	if e := strings.ToLower(r.Header.Get("Content-Encoding")); e != "" && e != "snappy" {
		return "", written{}, fault.New(fault.Unsupported, "content encoding %q is not supported: remote write is snappy", e)
	}
	b := s.newBody(tenant)
	defer b.release()
	if err := b.receive(r.Body, r.ContentLength, s.opts.MaxBody); err != nil {
		return message, written{}, err
	}
	if err := b.unsnap(s.opts.MaxBody); err != nil {
		return message, written{}, err
	}
	if err := b.hold(remoteDecoded * int64(len(b.bytes))); err != nil {
		return message, written{}, err
	}
	done, err = s.storeRemoteWrite(r.Context(), tenant, message, b.bytes)
	return message, done, err
}

// unsnap replaces the bytes by what they hold as one block of snappy.
func (b *body) unsnap(limit int64) error {
	size, err := snappy.DecodedLen(b.bytes)
	if err != nil {
		return fault.New(fault.Invalid, "the body is not snappy")
	}
	if int64(size) > limit {
		return tooLarge(limit, " after decompression")
	}
	if err := b.hold(int64(size)); err != nil {
		return err
	}
	if b.bytes, err = snappy.Decode(make([]byte, size), b.bytes); err != nil {
		return fault.New(fault.Invalid, "the body cannot be decompressed: it is truncated or damaged")
	}
	return nil
}

// storeRemoteWrite decodes a request and stores it. A panic becomes an error.
func (s *Server) storeRemoteWrite(ctx context.Context, tenant Tenant, message string, request []byte) (done written, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	batch := s.metrics.Begin(tenant.Project, uint16(tenant.Retention.Metrics), s.now())
	if message == writeV2 {
		err = fillV2(batch, request, &done)
	} else {
		err = fillV1(batch, request, &done)
	}
	if err == nil {
		err = s.writeMetrics(ctx, tenant, batch)
	}
	if err != nil {
		return written{}, err
	}
	s.metrics.Release(batch)
	done.rejected[refusedSample] = int64(done.refused.Count)
	s.stats.stored("metrics", int64(done.samples+done.histograms), &done.rejected, len(request))
	return done, nil
}

// fillV1 puts a request of remote write 1.0 into a batch.
func fillV1(batch *metric.Batch, request []byte, done *written) error {
	var r prompb.WriteRequest
	if err := r.Unmarshal(request); err != nil {
		return fault.New(fault.Invalid, "malformed %s: %s", writeV1, err)
	}
	builder := labels.NewScratchBuilder(16)
	for i := range r.Timeseries {
		t := &r.Timeseries[i]
		ref, err := named(batch, t.ToLabels(&builder, nil))
		if err != nil {
			done.refused.Add(len(t.Samples)+len(t.Histograms), err)
			continue
		}
		for _, v := range t.Samples {
			done.sample(batch.Sample(ref, 0, v.Timestamp, v.Value))
		}
		for _, h := range t.Histograms {
			done.histogram(batch, ref, 0, h.Timestamp, h)
		}
	}
	for _, m := range r.Metadata {
		batch.Metadata(metric.Metadata{Metric: m.MetricFamilyName, Type: strings.ToLower(m.Type.String()), Unit: m.Unit, Help: m.Help})
	}
	return nil
}

// fillV2 puts a request of remote write 2.0 into a batch.
func fillV2(batch *metric.Batch, request []byte, done *written) error {
	var r writev2.Request
	if err := r.Unmarshal(request); err != nil {
		return fault.New(fault.Invalid, "malformed %s: %s", writeV2, err)
	}
	builder := labels.NewScratchBuilder(16)
	for i := range r.Timeseries {
		t := &r.Timeseries[i]
		ls, err := t.ToLabels(&builder, r.Symbols)
		var ref metric.Ref
		if err == nil {
			ref, err = named(batch, ls)
		}
		if err == nil && len(t.Samples)+len(t.Histograms) == 0 {
			err = fault.New(fault.Invalid, "the series %s has no sample", ls)
		}
		if err != nil {
			done.refused.Add(max(1, len(t.Samples)+len(t.Histograms)), err)
			continue
		}
		for _, v := range t.Samples {
			done.sample(batch.Sample(ref, v.StartTimestamp, v.Timestamp, v.Value))
		}
		for _, h := range t.Histograms {
			done.histogram(batch, ref, h.StartTimestamp, h.Timestamp, h)
		}
		if m, err := t.ToMetadata(r.Symbols); err != nil {
			done.refused.Add(0, err)
		} else if m.Type != model.MetricTypeUnknown || m.Unit != "" || m.Help != "" {
			batch.Metadata(metric.Metadata{Metric: family(ls.Get(model.MetricNameLabel), m.Type), Type: string(m.Type), Unit: m.Unit, Help: m.Help})
		}
	}
	return nil
}

// named is Batch.Series for protocols in which every series has a metric.
func named(batch *metric.Batch, ls labels.Labels) (metric.Ref, error) {
	if !ls.Has(model.MetricNameLabel) {
		return 0, fault.New(fault.Invalid, "a series has no metric name: %s", ls)
	}
	return batch.Series(ls)
}

// family is the name that a metric's metadata go by: that of a classic
// histogram or summary without the suffix of its series.
func family(name string, kind model.MetricType) string {
	switch kind {
	case model.MetricTypeHistogram, model.MetricTypeGaugeHistogram, model.MetricTypeSummary:
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if f, ok := strings.CutSuffix(name, suffix); ok {
				return f
			}
		}
	}
	return name
}

func (w *written) sample(err error) {
	if err != nil {
		w.refused.Add(1, err)
		return
	}
	w.samples++
}

// wireHistogram is a native histogram of either message.
type wireHistogram interface {
	IsFloatHistogram() bool
	ToIntHistogram() *histogram.Histogram
	ToFloatHistogram() *histogram.FloatHistogram
}

func (w *written) histogram(batch *metric.Batch, ref metric.Ref, started, t int64, h wireHistogram) {
	var err error
	if h.IsFloatHistogram() {
		err = batch.FloatHistogram(ref, started, t, h.ToFloatHistogram())
	} else {
		err = batch.Histogram(ref, started, t, h.ToIntHistogram())
	}
	if err != nil {
		w.refused.Add(1, err)
		return
	}
	w.histograms++
}
