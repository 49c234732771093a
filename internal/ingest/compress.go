package ingest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// maxWindow bounds what a zstd stream may make its decoder allocate.
const maxWindow = 8 << 20

var (
	gzipReaders sync.Pool
	zstdReaders sync.Pool
)

// decompress replaces the bytes by what they hold under a Content-Encoding,
// which is at most limit bytes. It stops reading there, however much more a bomb
// would give.
func (b *body) decompress(encodingName string, limit int64) error {
	var r io.Reader
	switch strings.ToLower(strings.TrimSpace(encodingName)) {
	case "", "identity":
		return nil
	case "gzip":
		z, err := gzipReader(bytes.NewReader(b.bytes))
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "the body is not gzip")
		}
		defer gzipReaders.Put(z)
		r = z
	case "zstd":
		z, err := zstdReader(bytes.NewReader(b.bytes))
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "the body is not zstd")
		}
		defer putZstdReader(z)
		r = z
	default:
		return fault.New(fault.Unsupported, "content encoding %q is not supported: send gzip, zstd or none", encodingName)
	}
	// Spans compress about 8 times; a little more room spares one growth.
	switch err := b.read(r, int64(len(b.bytes))*10+bytes.MinRead, limit); {
	case errors.Is(err, errOver):
		return tooLarge(limit, " after decompression")
	case err != nil && fault.As(err) == nil:
		return fault.Wrap(err, fault.Invalid, "the body cannot be decompressed: it is truncated or damaged")
	default:
		return err
	}
}

func tooLarge(limit int64, when string) error {
	return fault.New(fault.TooLarge, "the request is larger than %d bytes%s: send smaller batches", limit, when)
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
