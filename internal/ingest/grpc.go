package ingest

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// OTLP/gRPC is one unary method per signal, and a unary call is a POST over HTTP/2 with a
// prefix before the message and the status in the trailers. It is served as such
// and not by a gRPC library, because those read and unpack a whole message
// before anybody can say whether there is room for it.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

const (
	typeGRPC      = "application/grpc"
	messagePrefix = 5 // bytes: whether the message is compressed, and its length
)

const (
	maxStreams       = 256     // open requests of one connection
	connectionWindow = 4 << 20 // bytes a connection may send ahead of being read
	streamWindow     = 1 << 20
	keepaliveIdle    = 2 * time.Minute // then the client is asked whether it is there
	keepaliveAnswer  = 20 * time.Second
)

func (s *Server) newGRPC() *http.Server {
	g := s.newServer(http.HandlerFunc(s.exportGRPC))
	g.Protocols = &http.Protocols{}
	g.Protocols.SetUnencryptedHTTP2(true)
	g.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams: maxStreams, MaxReceiveBufferPerConnection: connectionWindow, MaxReceiveBufferPerStream: streamWindow,
		SendPingTimeout: keepaliveIdle, PingTimeout: keepaliveAnswer,
	}
	return g
}

// exportGRPC answers one call. A client that gives up, at its deadline or
// before, resets the stream, which ends the request's context.
func (s *Server) exportGRPC(w http.ResponseWriter, r *http.Request) {
	s.stats.requests.Add(1)
	if !strings.HasPrefix(r.Header.Get("Content-Type"), typeGRPC) {
		http.Error(w, "this port speaks OTLP/gRPC", http.StatusUnsupportedMediaType)
		return
	}
	w.Header().Set("Content-Type", typeGRPC)
	w.Header().Set("Grpc-Accept-Encoding", "gzip,zstd")
	w.Header().Set("Trailer", "Grpc-Status,Grpc-Message,Grpc-Status-Details-Bin")
	response, err := s.receiveGRPC(r)
	var message []byte
	if err == nil {
		message, err = proto.MarshalOptions{}.MarshalAppend(make([]byte, messagePrefix), response)
	}
	if err != nil {
		st, _, _ := answer(s.log, err)
		s.stats.refused(st.Code())
		setStatus(w.Header(), st)
		return
	}
	binary.BigEndian.PutUint32(message[1:], uint32(len(message)-messagePrefix))
	_, _ = w.Write(message) // a client that is gone has nobody to tell
	setStatus(w.Header(), status.New(codes.OK, ""))
}

// setStatus writes the trailers that end a call.
func setStatus(trailer http.Header, st *status.Status) {
	trailer.Set("Grpc-Status", strconv.Itoa(int(st.Code())))
	trailer.Set("Grpc-Message", percentEncoded(st.Message()))
	if len(st.Details()) > 0 {
		if details, err := proto.Marshal(st.Proto()); err == nil { // or the status goes without them
			trailer.Set("Grpc-Status-Details-Bin", base64.RawStdEncoding.EncodeToString(details))
		}
	}
}

// percentEncoded writes a text the way gRPC puts it into a header: what is not
// printable ASCII byte by byte.
func percentEncoded(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// receiveGRPC takes a call and returns what answers it.
func (s *Server) receiveGRPC(r *http.Request) (proto.Message, error) {
	p, err := s.portOf(r)
	if err != nil {
		return nil, err
	}
	tenant, err := s.authenticate(r)
	if err != nil {
		return nil, err
	}
	b := s.newBody(tenant)
	if err := b.receiveGRPC(r, s.opts.MaxBody); err != nil {
		b.release()
		return nil, err
	}
	return p.export(r.Context(), tenant, b)
}

// portOf finds the signal of a call.
func (s *Server) portOf(r *http.Request) (*port, error) {
	var methods []string
	for i := range s.ports {
		if s.ports[i].method == r.URL.Path && r.Method == http.MethodPost {
			return &s.ports[i], nil
		}
		methods = append(methods, s.ports[i].method)
	}
	return nil, fault.New(fault.Unsupported, "there is no method %s: this receiver takes OTLP at %s", r.URL.Path, strings.Join(methods, ", "))
}

// receiveGRPC reads the one message of a call.
func (b *body) receiveGRPC(r *http.Request, limit int64) error {
	var prefix [messagePrefix]byte
	switch _, err := io.ReadFull(r.Body, prefix[:]); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fault.New(fault.Invalid, "the request has no message")
	case err != nil:
		return unread(err)
	}
	compressed, size := prefix[0], int64(binary.BigEndian.Uint32(prefix[1:]))
	if err := b.receive(io.LimitReader(r.Body, size), size, limit); err != nil {
		return err
	}
	if int64(len(b.bytes)) < size {
		return fault.New(fault.Invalid, "the message ends after %d of its %d bytes", len(b.bytes), size)
	}
	if compressed == 0 {
		return nil
	}
	return b.decompress(r.Header.Get("Grpc-Encoding"), limit)
}
