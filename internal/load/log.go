package load

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"

	"google.golang.org/protobuf/encoding/protowire"
)

// RareWord is a word that one in RareEvery log records has in its body, and no other.
const (
	RareWord  = "quarantined"
	RareEvery = 100_000
)

// RareWords is how often a run of logs says RareWord.
func RareWords(opts Options) int {
	if opts.complete() != nil {
		return 0
	}
	return int(opts.requests()) * opts.Batch / RareEvery
}

// line is what a program logs. Each # is a digit that differs from record to record.
type line struct {
	level  level
	traced bool
	text   string
}

// level is an OTLP severity number.
type level uint64

const (
	debug level = 5
	info  level = 9
	warn  level = 13
	fail  level = 17
)

var levelNames = map[level]string{debug: "DEBUG", info: "INFO", warn: "WARN", fail: "ERROR"}

// The lines by their level. The traced ones belong to a request: of all records about a third do.
var (
	infoLines = []line{
		{info, true, "Order ######## accepted for member ########, total ##### KRW"},
		{info, true, "Payment ######## approved by the acquirer in ### ms"},
		{info, false, "Scheduled job settle-daily finished in #### ms, ### rows written"},
		{info, false, "Cache refresh done: ### entries, ## evicted"},
		{info, true, "Member ######## signed in from 10.42.##.###"},
		{info, false, "Consumed message ######## from topic order-events, partition #, offset ########"},
		{info, false, "Published message ######## to topic stock-events"},
		{info, true, "Delivery ######## handed over to courier ####"},
		{info, false, "Connection pool mysql-main: ## active, ## idle, # waiting"},
		{info, false, "Started background refresh of catalog page ####"},
		{info, true, "Coupon ######## redeemed on order ########"},
		{info, false, "Health check passed in ## ms"},
		{info, false, "Reloaded configuration, revision ########"},
		{info, false, "Review ######## is waiting for moderation"},
	}
	debugLines = []line{
		{debug, true, "GET /v1/api/orders/######## answered 200 in ### ms"},
		{debug, false, "Cache miss for key member:########"},
		{debug, false, "Acquired lock stock-######## after ## ms"},
		{debug, true, "Mapped ## rows of tb_order to OrderDto"},
		{debug, false, "Heartbeat ######## sent to coordinator"},
		{debug, false, "Batch ######## flushed with ### items"},
		{debug, false, "Feature flag new-checkout is off for member ########"},
	}
	warnLines = []line{
		{warn, false, "Slow statement: #### ms, SELECT * FROM tb_order WHERE order_no = ########"},
		{warn, true, "Retrying call to payment-01 for order ########, attempt #"},
		{warn, false, "Queue order-events is ##### messages behind"},
		{warn, false, "Stock of product ######## is below ##"},
		{warn, true, "Token of member ######## expires in ## s"},
	}
	errorLines = []line{
		{fail, true, "Payment ######## declined: insufficient funds"},
		{fail, true, "java.sql.SQLTransientConnectionException: mysql-main - Connection is not available, request timed out after ##### ms"},
		{fail, false, "Could not parse event ########: unexpected end of input at line #, column ###"},
		{fail, true, "No stock left for product ######## in order ########"},
	}
	rareLine = line{fail, false, "Message ######## " + RareWord + " after # deliveries"}
)

// logTemplates are the prepared requests of log records; rare is for those with one rareLine.
type logTemplates struct {
	batch int
	of    [serviceCount][variants]*logTemplate
	rare  [serviceCount]*logTemplate
}

type logTemplate struct {
	bytes   []byte
	records []logPlace
}

// logPlace says where the values of a log record are in the bytes; trace and span are 0 when there is none.
type logPlace struct {
	time, observed, trace, span int
	numbers                     []stretch
}

// stretch is where digits are.
type stretch struct{ from, to int }

func newLogTemplates(batch int) *logTemplates {
	t := &logTemplates{batch: batch}
	for s := range serviceCount {
		for v := range variants {
			t.of[s][v] = newLogTemplate(s, v, batch, false)
		}
		t.rare[s] = newLogTemplate(s, 0, batch, true)
	}
	return t
}

// request implements source. Records of a request belong, two by two, to the traces that the request of the same
// number carries in the shape 10x11 when seed and batch are the same.
func (t *logTemplates) request(body []byte, seed, n uint64, at moment) []byte {
	batch, group := uint64(t.batch), n/hops
	from := t.of[n%serviceCount][group/(serviceCount/hops)%variants]
	if n*batch/RareEvery != (n+1)*batch/RareEvery {
		from = t.rare[n%serviceCount]
	}
	body = append(body, from.bytes...)
	for i := range from.records {
		p := &from.records[i]
		random := mix(^seed + n*maxBatch + uint64(i))
		time := at.of(i, t.batch) + uint64(recent)*uint64(i)/batch + random%uint64(recent.Nanoseconds()/1000)
		binary.LittleEndian.PutUint64(body[p.time:], time)
		binary.LittleEndian.PutUint64(body[p.observed:], time)
		if p.trace != 0 {
			high, low := traceID(seed, group, i/2)
			binary.BigEndian.PutUint64(body[p.trace:], high)
			binary.BigEndian.PutUint64(body[p.trace+8:], low)
			binary.BigEndian.PutUint64(body[p.span:], spanID(seed, n, i&^1))
		}
		for k, number := range p.numbers {
			digits(body[number.from:number.to], bits.RotateLeft64(random, 21*k))
		}
	}
	return body
}

// The numbers of the fields of a LogRecord.
const (
	scopeLogsRecords                        = 2
	recordTime, recordSeverity, recordText  = 1, 2, 3
	recordBody, recordAttributes            = 5, 6
	recordTrace, recordSpan, recordObserved = 9, 10, 11
)

func newLogTemplate(service, variant, batch int, rare bool) *logTemplate {
	w := &writer{rng: rand.New(rand.NewPCG(uint64(service), uint64(variant))), service: service, variant: variant}
	t := &logTemplate{}
	scope := message(nil, scopeSpansScope, text(nil, scopeName, "com.shop."+words[service%len(words)]))
	for i := range batch {
		said := w.line()
		if rare && i == batch/2 {
			said = rareLine
		}
		record, p := w.record(said)
		scope = protowire.AppendTag(scope, scopeLogsRecords, protowire.BytesType)
		scope = protowire.AppendVarint(scope, uint64(len(record)))
		t.records = append(t.records, p.shift(len(scope)))
		scope = append(scope, record...)
	}
	var inRequest int
	t.bytes, inRequest = envelope(w.resource(), scope)
	for i := range t.records {
		t.records[i] = t.records[i].shift(inRequest)
	}
	return t
}

// line chooses what is logged next: of a hundred records 80 are infos, 12 debug, 6 warnings and 2 errors.
func (w *writer) line() line {
	lines := infoLines
	switch n := w.rng.IntN(100); {
	case n < 2:
		lines = errorLines
	case n < 8:
		lines = warnLines
	case n < 20:
		lines = debugLines
	}
	return lines[w.rng.IntN(len(lines))]
}

// record writes a log record.
func (w *writer) record(said line) ([]byte, logPlace) {
	var p logPlace
	b := protowire.AppendTag(nil, recordTime, protowire.Fixed64Type)
	p.time = len(b)
	b = protowire.AppendTag(protowire.AppendFixed64(b, 0), recordObserved, protowire.Fixed64Type)
	p.observed = len(b)
	b = protowire.AppendTag(protowire.AppendFixed64(b, 0), recordSeverity, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(said.level))
	b = text(b, recordText, levelNames[said.level])
	b = message(b, recordBody, text(nil, anyValueString, said.text))
	for i, from := 0, len(b)-len(said.text); i < len(said.text); i++ {
		if said.text[i] != '#' {
			continue
		}
		start := i
		for i < len(said.text) && said.text[i] == '#' {
			i++
		}
		p.numbers = append(p.numbers, stretch{from + start, from + i})
	}
	b = message(b, recordAttributes, attribute("thread.name", fmt.Sprintf("http-nio-8080-exec-%d", 1+w.rng.IntN(32))))
	b = message(b, recordAttributes, attribute("code.line.number", 20+len(said.text)))
	if said.traced {
		b = append(protowire.AppendVarint(protowire.AppendTag(b, recordTrace, protowire.BytesType), 16), make([]byte, 16)...)
		p.trace = len(b) - 16
		b = append(protowire.AppendVarint(protowire.AppendTag(b, recordSpan, protowire.BytesType), 8), make([]byte, 8)...)
		p.span = len(b) - 8
	}
	return b, p
}

// shift moves the places of a record that became part of something larger.
func (p logPlace) shift(by int) logPlace {
	p.time, p.observed = p.time+by, p.observed+by
	if p.trace != 0 {
		p.trace, p.span = p.trace+by, p.span+by
	}
	for i := range p.numbers {
		p.numbers[i].from += by
		p.numbers[i].to += by
	}
	return p
}
