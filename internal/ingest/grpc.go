package ingest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Unary calls have the same wire form as streams of one message, and are served
// as such: a stream's handler runs before the message is read, so the key is
// checked and memory is set aside first.
var traceService = grpc.ServiceDesc{
	ServiceName: "opentelemetry.proto.collector.trace.v1.TraceService",
	HandlerType: (*any)(nil),
	Streams: []grpc.StreamDesc{{
		StreamName: "Export",
		Handler:    func(srv any, stream grpc.ServerStream) error { return srv.(*Server).exportGRPC(stream) },
	}},
	Metadata: "opentelemetry/proto/collector/trace/v1/trace_service.proto",
}

const (
	maxStreams      = 256             // open requests of one connection
	firstReserve    = 1 << 20         // bytes set aside before a message's size is known
	keepaliveIdle   = 2 * time.Minute // then the client is asked whether it is there
	keepaliveAnswer = 20 * time.Second
	minClientPing   = 10 * time.Second
	handshakeTime   = 10 * time.Second
	readTime        = 30 * time.Second // a client may take to send one request
)

func (s *Server) newGRPC() *grpc.Server {
	g := grpc.NewServer(
		grpc.ForceServerCodecV2(rawCodec{}),
		grpc.MaxRecvMsgSize(int(s.opts.MaxBody)),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(handshakeTime),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveIdle, Timeout: keepaliveAnswer}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minClientPing, PermitWithoutStream: true}),
	)
	g.RegisterService(&traceService, s)
	return g
}

func (s *Server) exportGRPC(stream grpc.ServerStream) error {
	s.stats.requests.Add(1)
	response, err := s.receiveGRPC(stream)
	if err == nil {
		err = stream.SendMsg(response)
	}
	if err == nil {
		return nil
	}
	st, ok := status.FromError(err) // what gRPC itself has to say: a message too large, a client gone
	if !ok {
		st, _, _ = answer(s.log, err)
	}
	s.stats.refused(st.Code())
	return st.Err()
}

func (s *Server) receiveGRPC(stream grpc.ServerStream) ([]byte, error) {
	ctx := stream.Context()
	md, _ := metadata.FromIncomingContext(ctx)
	var addr net.Addr
	if p, ok := peer.FromContext(ctx); ok {
		addr = p.Addr
	}
	tenant, err := s.authenticate(ctx, grpcKey(md), addr)
	if err != nil {
		return nil, err
	}
	held, err := s.memory.acquire(ctx, firstReserve)
	if err != nil {
		return nil, err
	}
	release := func() { s.memory.release(held) }
	request, err := receiveMessage(stream)
	if err != nil {
		release()
		return nil, err
	}
	if more := int64(len(request.bytes)) - held; more > 0 {
		extra, err := s.memory.acquire(ctx, more)
		if err != nil {
			request.free()
			release()
			return nil, err
		}
		held += extra
	}
	rejected, err := s.export(ctx, tenant, request.bytes, func() {
		request.free()
		release()
	})
	if err != nil {
		return nil, err
	}
	return proto.Marshal(exportResponse(rejected))
}

// receiveMessage reads the one message of a request, and gives up on a client
// that does not send it in time.
func receiveMessage(stream grpc.ServerStream) (*rawMessage, error) {
	request := &rawMessage{}
	done := make(chan error, 1)
	go func() { done <- stream.RecvMsg(request) }()
	slow := time.NewTimer(readTime)
	defer slow.Stop()
	var err error
	select {
	case err = <-done:
	case <-slow.C:
		// Returning ends the stream, and with it RecvMsg.
		go func() {
			if <-done == nil {
				request.free()
			}
		}()
		return nil, status.Errorf(codes.DeadlineExceeded, "the message did not arrive within %v", readTime)
	}
	switch {
	case err == nil:
		return request, nil
	case errors.Is(err, io.EOF):
		return nil, fault.New(fault.Invalid, "the request has no message")
	case status.Code(err) == codes.Internal:
		// gRPC calls bytes that cannot be decompressed its own fault.
		return nil, fault.Wrap(err, fault.Invalid, "the message cannot be read: it is damaged or its compression is")
	}
	return nil, err
}

func grpcKey(md metadata.MD) string {
	if v := md.Get("authorization"); len(v) > 0 {
		return bearer(v[0])
	}
	if v := md.Get("x-matrix-key"); len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}

// bearer returns the key of an Authorization header. A header of another
// scheme yields a text that no key equals, not an absent key.
func bearer(header string) string {
	if scheme, key, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(key)
	}
	return header
}

// exportResponse says which spans were refused, and nothing when all are stored.
func exportResponse(rejected rejections) *collector.ExportTraceServiceResponse {
	if rejected.total() == 0 {
		return &collector.ExportTraceServiceResponse{}
	}
	return &collector.ExportTraceServiceResponse{PartialSuccess: &collector.ExportTracePartialSuccess{
		RejectedSpans: rejected.total(), ErrorMessage: rejected.message(),
	}}
}

// rawCodec hands messages through as bytes: the decoder walks them as they came.
type rawCodec struct{}

// rawMessage is a received message in a buffer of gRPC's pool.
type rawMessage struct {
	bytes  []byte
	buffer mem.Buffer
}

// free gives the buffer back; the bytes must not be used any more.
func (m *rawMessage) free() {
	m.buffer.Free()
	m.bytes, m.buffer = nil, nil
}

// Name implements encoding.CodecV2.
func (rawCodec) Name() string { return "proto" }

// Marshal implements encoding.CodecV2 for responses, which are marshalled already.
func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("response is %T, want bytes", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

// Unmarshal implements encoding.CodecV2 for requests.
func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*rawMessage)
	if !ok {
		return fmt.Errorf("request is %T, want raw bytes", v)
	}
	m.buffer = data.MaterializeToBuffer(mem.DefaultBufferPool())
	m.bytes = m.buffer.ReadOnlyData()
	return nil
}
