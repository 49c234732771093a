package trace

import (
	"encoding/binary"
	"slices"

	"github.com/ClickHouse/ch-go/proto"
)

// textColumn is a String column kept in its wire form: each value behind its
// length as a varint. Appending is the only copy a value ever gets.
type textColumn struct {
	wire []byte
	rows int
}

func (c *textColumn) append(v []byte) {
	c.begin(len(v))
	c.wire = append(c.wire, v...)
}

func (c *textColumn) appendString(v string) {
	c.begin(len(v))
	c.wire = append(c.wire, v...)
}

// begin makes room for a value of n bytes and writes its length.
func (c *textColumn) begin(n int) {
	if cap(c.wire)-len(c.wire) < n+binary.MaxVarintLen64 {
		c.wire = slices.Grow(c.wire, max(len(c.wire), n+binary.MaxVarintLen64)) // append would grow by a quarter and copy more
	}
	if n < 0x80 {
		c.wire = append(c.wire, byte(n))
	} else {
		c.wire = binary.AppendUvarint(c.wire, uint64(n))
	}
	c.rows++
}

// maxIdle is the capacity in bytes that a column keeps between blocks; one
// block of giants must not hold its memory for ever. It is twice what a block may
// hold before it is stored (clickhouse.BatchOptions), as columns double.
const maxIdle = 128 << 20

func (c *textColumn) reset() {
	c.wire = c.wire[:0]
	if cap(c.wire) > maxIdle {
		c.wire = nil
	}
	c.rows = 0
}

func (c *textColumn) bytes() int { return len(c.wire) }

// Type implements proto.ColInput.
func (c *textColumn) Type() proto.ColumnType { return proto.ColumnTypeString }

// Rows implements proto.ColInput.
func (c *textColumn) Rows() int { return c.rows }

// EncodeColumn implements proto.ColInput.
func (c *textColumn) EncodeColumn(b *proto.Buffer) { b.Buf = append(b.Buf, c.wire...) }

// WriteColumn implements proto.ColInput.
func (c *textColumn) WriteColumn(w *proto.Writer) { w.ChainWrite(c.wire) }

// lowCardColumn is a LowCardinality(String) column. proto.ColLowCardinality
// hashes every value again when the block is encoded and keeps each as a
// string; this one finds a value's index when it is appended, and remembers
// values across blocks, so that a value seen before costs no allocation.
type lowCardColumn struct {
	slots  map[string]*slot
	known  int                    // bytes of the values in slots
	block  uint32                 // the open block; a slot of another block has no index yet
	values textColumn             // the block's dictionary, "" first
	keys   []uint32               // by row: index into values
	recent [1 << recentBits]*slot // by fingerprint: spares hashing what came just before
	narrow []byte                 // keys in the width the dictionary's size asks for
}

type slot struct {
	value string
	block uint32
	index uint32
}

const recentBits = 8

// What a column remembers between blocks is bounded: the values and their bytes.
const (
	maxSlots     = 1 << 16
	maxSlotBytes = 4 << 20
)

func newLowCardColumn() *lowCardColumn {
	c := &lowCardColumn{}
	c.reset()
	return c
}

func (c *lowCardColumn) append(v []byte) { c.keys = append(c.keys, c.indexOf(v)) }

func (c *lowCardColumn) indexOf(v []byte) uint32 {
	if len(v) == 0 {
		return 0
	}
	recent := &c.recent[fingerprint(v)>>(64-recentBits)]
	if s := *recent; s != nil && s.value == string(v) {
		return s.index
	}
	s, ok := c.slots[string(v)]
	if !ok {
		s = &slot{value: string(v)}
		c.slots[s.value] = s
		c.known += len(v)
	}
	if s.block != c.block {
		s.block, s.index = c.block, uint32(c.values.rows)
		c.values.append(v)
	}
	*recent = s
	return s.index
}

// fingerprint is a hash of a value's length and its first and last eight bytes,
// for tables that compare the value anyway. Its high bits are the good ones.
func fingerprint(v []byte) uint64 {
	const a, b = 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f
	var first, last uint64
	switch n := len(v); {
	case n >= 8:
		first, last = binary.LittleEndian.Uint64(v), binary.LittleEndian.Uint64(v[n-8:])
	case n >= 4:
		first, last = uint64(binary.LittleEndian.Uint32(v)), uint64(binary.LittleEndian.Uint32(v[n-4:]))
	case n > 0:
		first, last = uint64(v[0])|uint64(v[n/2])<<8, uint64(v[n-1])
	}
	h := (first ^ uint64(len(v))) * a
	return (h ^ h>>32 ^ last) * b
}

func (c *lowCardColumn) reset() {
	if c.slots == nil || len(c.slots) > maxSlots || c.known > maxSlotBytes {
		c.slots, c.known = map[string]*slot{}, 0
	}
	c.block++
	clear(c.recent[:])
	c.keys = c.keys[:0]
	c.values.reset()
	c.values.append(nil)
}

func (c *lowCardColumn) bytes() int { return 4*len(c.keys) + c.values.bytes() }

// Type implements proto.ColInput.
func (c *lowCardColumn) Type() proto.ColumnType {
	return proto.ColumnTypeLowCardinality.Sub(proto.ColumnTypeString)
}

// Rows implements proto.ColInput.
func (c *lowCardColumn) Rows() int { return len(c.keys) }

// EncodeState implements proto.StateEncoder: the version of the key format.
func (c *lowCardColumn) EncodeState(b *proto.Buffer) { b.PutInt64(1) }

// The key block's header: what follows is a dictionary of its own
// (additional keys, update dictionary), with keys of 1, 2 or 4 bytes.
const (
	lowCardOwnDictionary = 1<<9 | 1<<10
	lowCardKeys8         = 0
	lowCardKeys16        = 1
	lowCardKeys32        = 2
)

func (c *lowCardColumn) encodeKeys() (width int64) {
	c.narrow = c.narrow[:0]
	switch n := c.values.rows; {
	case n <= 1<<8:
		for _, k := range c.keys {
			c.narrow = append(c.narrow, byte(k))
		}
		return lowCardKeys8
	case n <= 1<<16:
		for _, k := range c.keys {
			c.narrow = binary.LittleEndian.AppendUint16(c.narrow, uint16(k))
		}
		return lowCardKeys16
	}
	for _, k := range c.keys {
		c.narrow = binary.LittleEndian.AppendUint32(c.narrow, k)
	}
	return lowCardKeys32
}

// EncodeColumn implements proto.ColInput.
func (c *lowCardColumn) EncodeColumn(b *proto.Buffer) {
	if len(c.keys) == 0 {
		return
	}
	b.PutInt64(lowCardOwnDictionary | c.encodeKeys())
	b.PutInt64(int64(c.values.rows))
	c.values.EncodeColumn(b)
	b.PutInt64(int64(len(c.keys)))
	b.Buf = append(b.Buf, c.narrow...)
}

// WriteColumn implements proto.ColInput.
func (c *lowCardColumn) WriteColumn(w *proto.Writer) {
	if len(c.keys) == 0 {
		return
	}
	width := c.encodeKeys()
	w.ChainBuffer(func(b *proto.Buffer) {
		b.PutInt64(lowCardOwnDictionary | width)
		b.PutInt64(int64(c.values.rows))
	})
	c.values.WriteColumn(w)
	w.ChainBuffer(func(b *proto.Buffer) { b.PutInt64(int64(len(c.keys))) })
	w.ChainWrite(c.narrow)
}

// element is what an array column holds: any column of this file.
type element interface {
	proto.ColInput
	append(v []byte)
	bytes() int
	reset()
}

// arrayColumn is an Array column: values are appended to data, and close ends a row.
type arrayColumn[E element] struct {
	ends proto.ColUInt64 // by row: number of values up to and including it
	data E
}

func (c *arrayColumn[E]) bytes() int { return 8*len(c.ends) + c.data.bytes() }

func (c *arrayColumn[E]) close() { c.ends = append(c.ends, uint64(c.data.Rows())) }

func (c *arrayColumn[E]) reset() {
	c.ends = c.ends[:0]
	c.data.reset()
}

// Type implements proto.ColInput.
func (c *arrayColumn[E]) Type() proto.ColumnType { return c.data.Type().Array() }

// Rows implements proto.ColInput.
func (c *arrayColumn[E]) Rows() int { return len(c.ends) }

// EncodeState implements proto.StateEncoder.
func (c *arrayColumn[E]) EncodeState(b *proto.Buffer) {
	if s, ok := any(c.data).(proto.StateEncoder); ok {
		s.EncodeState(b)
	}
}

// EncodeColumn implements proto.ColInput.
func (c *arrayColumn[E]) EncodeColumn(b *proto.Buffer) {
	c.ends.EncodeColumn(b)
	c.data.EncodeColumn(b)
}

// WriteColumn implements proto.ColInput.
func (c *arrayColumn[E]) WriteColumn(w *proto.Writer) {
	c.ends.WriteColumn(w)
	c.data.WriteColumn(w)
}
