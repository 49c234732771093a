// Package column holds the columns that blocks of telemetry are made of, for
// values that come as bytes of a request: appending a value is its only copy,
// and a value seen before costs no allocation. They implement proto.ColInput.
package column

import (
	"encoding/binary"
	"slices"

	"github.com/ClickHouse/ch-go/proto"
)

// Text is a String column kept in its wire form: each value behind its
// length as a varint. Appending is the only copy a value ever gets.
type Text struct {
	wire []byte
	rows int
	mark struct{ wire, rows int }
}

// Append adds a value; it is copied.
func (c *Text) Append(v []byte) {
	c.begin(len(v))
	c.wire = append(c.wire, v...)
}

// AppendString is Append for a string.
func (c *Text) AppendString(v string) {
	c.begin(len(v))
	c.wire = append(c.wire, v...)
}

// begin makes room for a value of n bytes and writes its length.
func (c *Text) begin(n int) {
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

// Mark notes where the column is, for Rollback.
func (c *Text) Mark() { c.mark.wire, c.mark.rows = len(c.wire), c.rows }

// Rollback takes away what was appended since Mark.
func (c *Text) Rollback() { c.wire, c.rows = c.wire[:c.mark.wire], c.mark.rows }

// Reset empties the column and keeps its memory.
func (c *Text) Reset() {
	c.wire = c.wire[:0]
	if cap(c.wire) > maxIdle {
		c.wire = nil
	}
	c.rows = 0
}

// Bytes is what the column holds.
func (c *Text) Bytes() int { return len(c.wire) }

// Type implements proto.ColInput.
func (c *Text) Type() proto.ColumnType { return proto.ColumnTypeString }

// Rows implements proto.ColInput.
func (c *Text) Rows() int { return c.rows }

// EncodeColumn implements proto.ColInput.
func (c *Text) EncodeColumn(b *proto.Buffer) { b.Buf = append(b.Buf, c.wire...) }

// WriteColumn implements proto.ColInput.
func (c *Text) WriteColumn(w *proto.Writer) { w.ChainWrite(c.wire) }

// LowCard is a LowCardinality(String) column. proto.ColLowCardinality
// hashes every value again when the block is encoded and keeps each as a
// string; this one finds a value's index when it is appended, and remembers
// values across blocks, so that a value seen before costs no allocation.
type LowCard struct {
	slots  map[string]*slot
	known  int                    // bytes of the values in slots
	block  uint32                 // the open block; a slot of another block has no index yet
	values Text                   // the block's dictionary, "" first
	keys   []uint32               // by row: index into values
	mark   int                    // rows
	recent [1 << recentBits]*slot // by Fingerprint: spares hashing what came just before
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

// NewLowCard returns an empty column.
func NewLowCard() *LowCard {
	c := &LowCard{}
	c.Reset()
	return c
}

// Append adds a value; it is copied when the column has not seen it before.
func (c *LowCard) Append(v []byte) { c.keys = append(c.keys, c.IndexOf(v)) }

// AppendIndex adds the value that IndexOf gave an index in the same block.
func (c *LowCard) AppendIndex(i uint32) { c.keys = append(c.keys, i) }

// IndexOf returns the index of a value in the block's dictionary, for values
// that many rows share.
func (c *LowCard) IndexOf(v []byte) uint32 {
	if len(v) == 0 {
		return 0
	}
	recent := &c.recent[Fingerprint(v)>>(64-recentBits)]
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
		c.values.Append(v)
	}
	*recent = s
	return s.index
}

// Value returns the value of a row. It looks through the block's dictionary: it is
// for a few rows, not for all.
func (c *LowCard) Value(row int) []byte {
	wire := c.values.wire
	for i := uint32(0); ; i++ {
		n, size := binary.Uvarint(wire)
		wire = wire[size:]
		if i == c.keys[row] {
			return wire[:n:n]
		}
		wire = wire[n:]
	}
}

// Fingerprint is a hash of a value's length and its first and last eight bytes,
// for tables that compare the value anyway. Its high bits are the good ones.
func Fingerprint(v []byte) uint64 {
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

// Mark notes where the column is, for Rollback.
func (c *LowCard) Mark() { c.mark = len(c.keys) }

// Rollback takes away what was appended since Mark. The dictionary keeps its values.
func (c *LowCard) Rollback() { c.keys = c.keys[:c.mark] }

// Reset empties the column. It remembers values, within bounds.
func (c *LowCard) Reset() {
	if c.slots == nil || len(c.slots) > maxSlots || c.known > maxSlotBytes {
		c.slots, c.known = map[string]*slot{}, 0
	}
	c.block++
	clear(c.recent[:])
	c.keys = c.keys[:0]
	c.values.Reset()
	c.values.Append(nil)
}

// Bytes is what the column holds.
func (c *LowCard) Bytes() int { return 4*len(c.keys) + c.values.Bytes() }

// Type implements proto.ColInput.
func (c *LowCard) Type() proto.ColumnType {
	return proto.ColumnTypeLowCardinality.Sub(proto.ColumnTypeString)
}

// Rows implements proto.ColInput.
func (c *LowCard) Rows() int { return len(c.keys) }

// EncodeState implements proto.StateEncoder: the version of the key format.
func (c *LowCard) EncodeState(b *proto.Buffer) { b.PutInt64(1) }

// The key block's header: what follows is a dictionary of its own
// (additional keys, update dictionary), with keys of 1, 2 or 4 bytes.
const (
	lowCardOwnDictionary = 1<<9 | 1<<10
	lowCardKeys8         = 0
	lowCardKeys16        = 1
	lowCardKeys32        = 2
)

func (c *LowCard) encodeKeys() (width int64) {
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
func (c *LowCard) EncodeColumn(b *proto.Buffer) {
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
func (c *LowCard) WriteColumn(w *proto.Writer) {
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

// Markable is what all columns of this package have in common, for blocks that
// treat them alike.
type Markable interface {
	Mark()
	Rollback()
	Reset()
	Bytes() int
}

// Column is a column of single values.
type Column interface {
	proto.ColInput
	Markable
	Append(v []byte)
}

// Array is an Array column: values are appended to Data, and Close ends a row.
type Array[E Column] struct {
	Data E
	ends proto.ColUInt64 // by row: number of values up to and including it
	mark int             // rows
}

// NewTexts returns an empty column of Array(String).
func NewTexts() *Array[*Text] { return &Array[*Text]{Data: &Text{}} }

// NewLowCards returns an empty column of Array(LowCardinality(String)).
func NewLowCards() *Array[*LowCard] { return &Array[*LowCard]{Data: NewLowCard()} }

// Close ends a row.
func (c *Array[E]) Close() { c.ends = append(c.ends, uint64(c.Data.Rows())) }

// Mark notes where the column is, for Rollback.
func (c *Array[E]) Mark() {
	c.mark = len(c.ends)
	c.Data.Mark()
}

// Rollback takes away what was appended since Mark.
func (c *Array[E]) Rollback() {
	c.ends = c.ends[:c.mark]
	c.Data.Rollback()
}

// Reset empties the column and keeps its memory.
func (c *Array[E]) Reset() {
	c.ends = c.ends[:0]
	c.Data.Reset()
}

// Bytes is what the column holds.
func (c *Array[E]) Bytes() int { return 8*len(c.ends) + c.Data.Bytes() }

// Type implements proto.ColInput.
func (c *Array[E]) Type() proto.ColumnType { return c.Data.Type().Array() }

// Rows implements proto.ColInput.
func (c *Array[E]) Rows() int { return len(c.ends) }

// EncodeState implements proto.StateEncoder.
func (c *Array[E]) EncodeState(b *proto.Buffer) {
	if s, ok := any(c.Data).(proto.StateEncoder); ok {
		s.EncodeState(b)
	}
}

// EncodeColumn implements proto.ColInput.
func (c *Array[E]) EncodeColumn(b *proto.Buffer) {
	c.ends.EncodeColumn(b)
	c.Data.EncodeColumn(b)
}

// WriteColumn implements proto.ColInput.
func (c *Array[E]) WriteColumn(w *proto.Writer) {
	c.ends.WriteColumn(w)
	c.Data.WriteColumn(w)
}
