package ingest

import (
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/fault"
)

const (
	typeProtobuf = "application/x-protobuf"
	typeJSON     = "application/json"
)

const (
	handshakeTime   = 10 * time.Second // a client may take to send a request's header
	defaultReadTime = 30 * time.Second // and to send one request
	idleTime        = 2 * time.Minute  // a connection may lie still before it is taken leave of
)

func (s *Server) newHTTP() *http.Server {
	mux := http.NewServeMux()
	var paths []string
	for i := range s.ports {
		p := &s.ports[i]
		paths = append(paths, p.path())
		mux.HandleFunc(p.path(), func(w http.ResponseWriter, r *http.Request) { s.exportHTTP(w, r, p) })
	}
	mux.HandleFunc(pprofPath, s.receivePprof)
	mux.HandleFunc(remoteWritePath, s.remoteWrite)
	s.handleAlerts(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, fault.New(fault.NotFound, "there is nothing at %s: this receiver takes OTLP at %s, Prometheus remote write at %s and alerts at %s", r.URL.Path, strings.Join(paths, ", "), remoteWritePath, alertmanagerPath))
	})
	return s.newServer(mux)
}

// newServer returns a server with the timeouts of both receivers.
func (s *Server) newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: handshakeTime,
		ReadTimeout:       s.opts.readTime,
		WriteTimeout:      s.opts.readTime + time.Minute, // from the end of the header: reading, storing, answering
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    64 << 10,
	}
}

func (s *Server) exportHTTP(w http.ResponseWriter, r *http.Request, p *port) {
	s.stats.requests.Add(1)
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "send "+p.name+" with POST", http.StatusMethodNotAllowed)
		return
	}
	response, err := s.receiveHTTP(r, p)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.respond(w, r, http.StatusOK, response)
}

func (s *Server) receiveHTTP(r *http.Request, p *port) (proto.Message, error) {
	tenant, err := s.authenticate(r)
	if err != nil {
		return nil, err
	}
	content, ok := contentType(r)
	if !ok {
		return nil, fault.New(fault.Unsupported, "content type %q is not supported: send %s or %s",
			r.Header.Get("Content-Type"), typeProtobuf, typeJSON)
	}
	b := s.newBody(tenant)
	if err := b.receiveHTTP(r, p.signal, content, s.opts.MaxBody); err != nil {
		b.release()
		return nil, err
	}
	return p.export(r.Context(), tenant, b)
}

// receiveHTTP reads the protobuf form of the request.
func (b *body) receiveHTTP(r *http.Request, s *signal, content string, limit int64) error {
	if err := b.receive(r.Body, r.ContentLength, limit); err != nil {
		return err
	}
	if err := b.decompress(r.Header.Get("Content-Encoding"), limit); err != nil {
		return err
	}
	if content == typeJSON {
		return b.fromJSON(s)
	}
	return nil
}

func contentType(r *http.Request) (string, bool) {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return t, err == nil && (t == typeProtobuf || t == typeJSON)
}

// refuse answers with a google.rpc.Status in the encoding of the request.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	st, code, retry := answer(s.log, err)
	s.stats.refused(st.Code())
	retryAfter(w, retry)
	if code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	s.respond(w, r, code, status.Convert(st.Err()).Proto())
}

// retryAfter tells a client when to come again, if it is to.
func retryAfter(w http.ResponseWriter, retry time.Duration) {
	if retry <= 0 {
		return
	}
	// Or the answer would wait for the rest of the body, which may never come.
	// The only possible error is that of HTTP/2, which does not wait anyway.
	_ = http.NewResponseController(w).EnableFullDuplex()
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(retry.Seconds()))))
}

func (s *Server) respond(w http.ResponseWriter, r *http.Request, code int, m proto.Message) {
	content, marshal := typeProtobuf, proto.Marshal
	if t, _ := contentType(r); t == typeJSON {
		content, marshal = typeJSON, protojson.Marshal
	}
	text, err := marshal(m)
	if err != nil {
		s.log.Error("response cannot be marshalled", "error", err)
		code, text = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", content)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(code)
	_, _ = w.Write(text) // a client that is gone has nobody to tell
}
