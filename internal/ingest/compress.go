package ingest

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // OTLP's usual compression; registers itself with grpc

	"github.com/matrix-aiops/matrix/internal/fault"
)

// maxWindow bounds what a zstd stream may make its decoder allocate.
const maxWindow = 8 << 20

var (
	gzipReaders sync.Pool
	zstdReaders sync.Pool
	zstdWriters sync.Pool
)

// decompress returns the body behind a Content-Encoding, which is at most limit
// bytes. It stops reading there, however much more a bomb would give.
func decompress(body []byte, encodingName string, limit int64) ([]byte, error) {
	var r io.Reader
	switch strings.ToLower(strings.TrimSpace(encodingName)) {
	case "", "identity":
		return body, nil
	case "gzip":
		z, err := gzipReader(bytes.NewReader(body))
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "the body is not gzip")
		}
		defer gzipReaders.Put(z)
		r = z
	case "zstd":
		z, err := zstdReader(bytes.NewReader(body))
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "the body is not zstd")
		}
		defer putZstdReader(z)
		r = z
	default:
		return nil, fault.New(fault.Unsupported, "content encoding %q is not supported: send gzip, zstd or none", encodingName)
	}
	// Spans compress about 8 times; a little more room spares one growth.
	out := bytes.NewBuffer(make([]byte, 0, min(limit+1, int64(len(body))*10+bytes.MinRead)))
	if _, err := out.ReadFrom(io.LimitReader(r, limit+1)); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the body cannot be decompressed: it is truncated or damaged")
	}
	if int64(out.Len()) > limit {
		return nil, tooLarge(limit, "after decompression")
	}
	return out.Bytes(), nil
}

func tooLarge(limit int64, when string) error {
	return fault.New(fault.TooLarge, "the request is larger than %d bytes %s: send smaller batches", limit, when)
}

func gzipReader(r io.Reader) (*gzip.Reader, error) {
	if z, ok := gzipReaders.Get().(*gzip.Reader); ok {
		if err := z.Reset(r); err != nil {
			gzipReaders.Put(z)
			return nil, err
		}
		return z, nil
	}
	return gzip.NewReader(r)
}

func zstdReader(r io.Reader) (*zstd.Decoder, error) {
	if z, ok := zstdReaders.Get().(*zstd.Decoder); ok {
		if err := z.Reset(r); err != nil {
			putZstdReader(z)
			return nil, err
		}
		return z, nil
	}
	// One goroutine each: the parallelism is that of the requests.
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
}

func putZstdReader(z *zstd.Decoder) {
	if z.Reset(nil) == nil { // lets go of the body
		zstdReaders.Put(z)
	}
}

// zstdCompressor is zstd for gRPC, which brings only gzip.
type zstdCompressor struct{}

// gRPC knows compressors by a registry of its own, to be filled before any
// server starts; an init function is the only place it allows.
func init() { encoding.RegisterCompressor(zstdCompressor{}) }

// Name implements encoding.Compressor.
func (zstdCompressor) Name() string { return "zstd" }

// Compress implements encoding.Compressor.
func (zstdCompressor) Compress(w io.Writer) (io.WriteCloser, error) {
	if z, ok := zstdWriters.Get().(*zstd.Encoder); ok {
		z.Reset(w)
		return &pooledWriter{z}, nil
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	return &pooledWriter{z}, nil
}

type pooledWriter struct{ *zstd.Encoder }

// Close ends the stream and gives the encoder back.
func (w *pooledWriter) Close() error {
	err := w.Encoder.Close()
	w.Reset(nil)
	zstdWriters.Put(w.Encoder)
	return err
}

// Decompress implements encoding.Compressor. The server bounds what it reads
// from the result by its maximum message size.
func (zstdCompressor) Decompress(r io.Reader) (io.Reader, error) {
	z, err := zstdReader(r)
	if err != nil {
		return nil, err
	}
	return &pooledReader{decoder: z}, nil
}

// pooledReader gives its decoder back at the end of the stream.
type pooledReader struct{ decoder *zstd.Decoder }

// Read implements io.Reader.
func (r *pooledReader) Read(p []byte) (int, error) {
	if r.decoder == nil {
		return 0, io.EOF
	}
	n, err := r.decoder.Read(p)
	if err != nil {
		putZstdReader(r.decoder)
		r.decoder = nil
	}
	return n, err
}
