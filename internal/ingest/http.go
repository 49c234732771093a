package ingest

import (
	"math"
	"mime"
	"net/http"
	"strconv"
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
	mux.HandleFunc("/v1/traces", s.exportHTTP)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, fault.New(fault.NotFound, "there is nothing at %s: this receiver takes OTLP traces at /v1/traces", r.URL.Path))
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

func (s *Server) exportHTTP(w http.ResponseWriter, r *http.Request) {
	s.stats.requests.Add(1)
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "send traces with POST", http.StatusMethodNotAllowed)
		return
	}
	rejected, err := s.receiveHTTP(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.respond(w, r, http.StatusOK, exportResponse(rejected))
}

func (s *Server) receiveHTTP(r *http.Request) (rejections, error) {
	tenant, err := s.authenticate(r)
	if err != nil {
		return rejections{}, err
	}
	content, ok := contentType(r)
	if !ok {
		return rejections{}, fault.New(fault.Unsupported, "content type %q is not supported: send %s or %s",
			r.Header.Get("Content-Type"), typeProtobuf, typeJSON)
	}
	b := s.newBody(tenant)
	if err := b.receiveHTTP(r, content, s.opts.MaxBody); err != nil {
		b.release()
		return rejections{}, err
	}
	return s.export(r.Context(), tenant, b)
}

// receiveHTTP reads the protobuf form of the request.
func (b *body) receiveHTTP(r *http.Request, content string, limit int64) error {
	if err := b.receive(r.Body, r.ContentLength, limit); err != nil {
		return err
	}
	if err := b.decompress(r.Header.Get("Content-Encoding"), limit); err != nil {
		return err
	}
	if content == typeJSON {
		return b.fromJSON()
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
	if retry > 0 {
		// Or the answer would wait for the rest of the body, which may never come.
		// The only possible error is that of HTTP/2, which does not wait anyway.
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(retry.Seconds()))))
	}
	if code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	s.respond(w, r, code, status.Convert(st.Err()).Proto())
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
