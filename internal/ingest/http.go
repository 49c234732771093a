package ingest

import (
	"context"
	"errors"
	"io"
	"math"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
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

// jsonWeight is how many bytes decoding one byte of JSON may hold.
const jsonWeight = 8

func (s *Server) newHTTP() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/traces", s.exportHTTP)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, fault.New(fault.NotFound, "there is nothing at %s: this receiver takes OTLP traces at /v1/traces", r.URL.Path))
	})
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: handshakeTime,
		ReadTimeout:       readTime,
		WriteTimeout:      readTime + time.Minute, // from the end of the header: reading, storing, answering
		IdleTimeout:       2 * time.Minute,
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
	rejected, err := s.receiveHTTP(w, r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.respond(w, r, http.StatusOK, exportResponse(rejected))
}

func (s *Server) receiveHTTP(w http.ResponseWriter, r *http.Request) (rejections, error) {
	ctx := r.Context()
	tenant, err := s.authenticate(ctx, httpKey(r.Header), remoteAddr(r))
	if err != nil {
		return rejections{}, err
	}
	content, ok := contentType(r)
	if !ok {
		return rejections{}, fault.New(fault.Unsupported, "content type %q is not supported: send %s or %s",
			r.Header.Get("Content-Type"), typeProtobuf, typeJSON)
	}
	b, err := s.readBody(ctx, w, r)
	if err != nil {
		return rejections{}, err
	}
	request := b.bytes
	if content == typeJSON {
		if err := b.hold(ctx, jsonWeight*int64(len(request))); err != nil {
			b.release()
			return rejections{}, err
		}
		if request, err = fromJSON(request); err != nil {
			b.release()
			return rejections{}, err
		}
	}
	return s.export(ctx, tenant, request, b.release)
}

// body is the decompressed body of a request and the memory it holds.
type body struct {
	bytes  []byte
	buffer *[]byte // of the pool, nil when the bytes are not
	memory *memory
	held   int64
}

var bodies = sync.Pool{New: func() any { return new([]byte) }}

// maxPooledBody is the largest buffer kept between requests.
const maxPooledBody = 4 << 20

func (b *body) release() {
	if b.buffer != nil && cap(*b.buffer) <= maxPooledBody {
		bodies.Put(b.buffer)
	}
	b.memory.release(b.held)
	b.bytes, b.buffer, b.held = nil, nil, 0
}

// hold takes n more bytes of the memory of all requests.
func (b *body) hold(ctx context.Context, n int64) error {
	taken, err := b.memory.acquire(ctx, min(n, b.memory.max-b.held))
	b.held += taken
	return err
}

func (s *Server) readBody(ctx context.Context, w http.ResponseWriter, r *http.Request) (*body, error) {
	limit := s.opts.MaxBody
	if r.ContentLength > limit {
		return nil, tooLarge(limit, "")
	}
	size := r.ContentLength
	if size < 0 {
		size = limit
	}
	b := &body{memory: s.memory, buffer: bodies.Get().(*[]byte)}
	if err := b.hold(ctx, size); err != nil {
		return nil, err
	}
	if err := b.read(http.MaxBytesReader(w, r.Body, limit), r.ContentLength); err != nil {
		b.release()
		var over *http.MaxBytesError
		if errors.As(err, &over) {
			return nil, tooLarge(limit, "")
		}
		return nil, fault.Wrap(err, fault.Invalid, "the body could not be read to its end")
	}
	name := r.Header.Get("Content-Encoding")
	if name == "" || strings.EqualFold(name, "identity") {
		return b, nil
	}
	if err := b.hold(ctx, limit); err != nil {
		b.release()
		return nil, err
	}
	plain, err := decompress(b.bytes, name, limit)
	if err != nil {
		b.release()
		return nil, err
	}
	b.bytes = plain
	return b, nil
}

// read reads all of r, whose length is size, or unknown when negative.
func (b *body) read(r io.Reader, size int64) error {
	buf := (*b.buffer)[:0]
	if need := int(size) + 1; size >= 0 && cap(buf) < need { // one more, so that the end is found without growing
		buf = make([]byte, 0, need)
	}
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil {
			*b.buffer, b.bytes = buf, buf
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
}

func httpKey(h http.Header) string {
	if v := h.Get("Authorization"); v != "" {
		return bearer(v)
	}
	return strings.TrimSpace(h.Get("X-Matrix-Key"))
}

func remoteAddr(r *http.Request) net.Addr {
	addr, err := net.ResolveTCPAddr("tcp", r.RemoteAddr) // an address with a port: nothing is looked up
	if err != nil {
		return nil
	}
	return addr
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
