package ingest

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/flame"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
)

// pprofPath takes profiles as profilers write them: the body is one profile in
// the format of pprof, the query names whose it is.
const pprofPath = "/v1/pprof"

// unpackedPprof is how many bytes a profile may hold once it is read, for each of
// its bytes unpacked: strings and locations become objects.
const unpackedPprof = 12

// receivePprof answers a request with the number of stacks that were stored.
func (s *Server) receivePprof(w http.ResponseWriter, r *http.Request) {
	s.stats.requests.Add(1)
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "send a profile with POST", http.StatusMethodNotAllowed)
		return
	}
	stored, err := s.storePprof(r)
	if err != nil {
		s.refusePlain(w, err)
		return
	}
	w.Header().Set("Content-Type", typeJSON)
	_ = json.NewEncoder(w).Encode(map[string]int{"samples": stored}) // a client that is gone has nobody to tell
}

func (s *Server) storePprof(r *http.Request) (stored int, err error) {
	tenant, err := s.authenticate(r)
	if err != nil {
		return 0, err
	}
	b := s.newBody(tenant)
	defer b.release()
	if err := b.receive(r.Body, r.ContentLength, s.opts.MaxBody); err != nil {
		return 0, err
	}
	encoding := r.Header.Get("Content-Encoding")
	if encoding == "" && len(b.bytes) > 2 && b.bytes[0] == 0x1f && b.bytes[1] == 0x8b {
		encoding = "gzip" // as profilers write their files
	}
	if err := b.decompress(encoding, s.opts.MaxBody); err != nil {
		return 0, err
	}
	if err := b.hold(unpackedPprof * int64(len(b.bytes))); err != nil {
		return 0, err
	}
	profile, err := flame.ParsePprof(b.bytes)
	if err != nil {
		return 0, err
	}
	if err := s.rates.take(tenant, &pprofSignal, len(profile.Stack)); err != nil {
		return 0, err
	}
	q := r.URL.Query()
	from := flame.Source{Project: tenant.Project, RetentionDays: tenant.Retention.Traces}
	for name, field := range map[string]*string{"service": &from.Service, "environment": &from.Environment, "instance": &from.Instance, "version": &from.Version} {
		var scratch otel.Scratch
		*field = string(scratch.Clean([]byte(strings.TrimSpace(q.Get(name))), otel.MaxNameLength))
	}
	if from.Service == "" {
		return 0, fault.New(fault.Invalid, "name the service: %s?service=…", pprofPath).WithField("service")
	}
	now := s.now()
	if at := profile.Time; at.After(now.Add(maxAhead)) || !at.IsZero() && at.Before(now.AddDate(0, 0, -from.RetentionDays)) {
		return 0, fault.New(fault.Invalid, "the profile is of %s: it is past the retention or in the future", at.Format("2006-01-02 15:04:05"))
	}
	err = s.profiles.Append(r.Context(), func(c *flame.Columns) error {
		stored = c.Append(from, profile, now)
		return nil
	})
	return stored, err
}

// pprofSignal has a rate of its own.
var pprofSignal = signal{name: "profiles", items: "stacks", rate: project.Traces}

// refusePlain answers a request that is not OTLP with a status and a sentence.
func (s *Server) refusePlain(w http.ResponseWriter, err error) {
	st, code, retry := answer(s.log, err)
	s.stats.refused(st.Code())
	retryAfter(w, retry)
	if code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	http.Error(w, st.Message(), code)
}
