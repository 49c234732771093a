package trace

import (
	"bytes"

	"github.com/matrix-aiops/matrix/internal/clickhouse/column"
	"github.com/matrix-aiops/matrix/internal/otel"
)

// field is a meaning that has a column, or a part in one.
type field uint8

const (
	fieldHTTPMethod field = iota
	fieldHTTPRoute
	fieldHTTPStatus
	fieldURL
	fieldPath
	fieldQuery
	fieldRPCService
	fieldRPCMethod
	fieldDestination
	fieldDBSystem
	fieldDBName
	fieldDBOperation
	fieldDBStatement
	fieldDBRows
	fieldPeerAddress
	fieldPeerPort
	fieldCount
)

// convention says which field an attribute fills. Of several attributes with
// one meaning the higher rank wins: the newest stable name over its
// predecessors, a name over an address.
type convention struct {
	field  field
	rank   uint8
	number bool // only a non-negative integer is accepted
}

// spanFields is the semantic conventions, old and new, that have a column. Every
// other attribute is stored as a key and a value.
// Source: https://opentelemetry.io/docs/specs/semconv/ 1.37 and, for the old
// names, its migration guides for HTTP, database and RPC.
var spanFields = map[string]convention{
	"http.request.method":       {field: fieldHTTPMethod, rank: 2},
	"http.method":               {field: fieldHTTPMethod, rank: 1},
	"http.route":                {field: fieldHTTPRoute, rank: 1},
	"http.response.status_code": {field: fieldHTTPStatus, rank: 2, number: true},
	"http.status_code":          {field: fieldHTTPStatus, rank: 1, number: true},
	"url.full":                  {field: fieldURL, rank: 2},
	"http.url":                  {field: fieldURL, rank: 1},
	"url.path":                  {field: fieldPath, rank: 2},
	"http.target":               {field: fieldPath, rank: 1},
	"url.query":                 {field: fieldQuery, rank: 1},

	"rpc.service": {field: fieldRPCService, rank: 1},
	"rpc.method":  {field: fieldRPCMethod, rank: 1},

	"messaging.destination.name": {field: fieldDestination, rank: 2},
	"messaging.destination":      {field: fieldDestination, rank: 1},

	"db.system.name":            {field: fieldDBSystem, rank: 2},
	"db.system":                 {field: fieldDBSystem, rank: 1},
	"db.namespace":              {field: fieldDBName, rank: 2},
	"db.name":                   {field: fieldDBName, rank: 1},
	"db.operation.name":         {field: fieldDBOperation, rank: 2},
	"db.operation":              {field: fieldDBOperation, rank: 1},
	"db.query.text":             {field: fieldDBStatement, rank: 2},
	"db.statement":              {field: fieldDBStatement, rank: 1},
	"db.response.returned_rows": {field: fieldDBRows, rank: 1, number: true},

	"server.address":       {field: fieldPeerAddress, rank: 5},
	"net.peer.name":        {field: fieldPeerAddress, rank: rankPeerName},
	"network.peer.address": {field: fieldPeerAddress, rank: 3},
	"net.sock.peer.addr":   {field: fieldPeerAddress, rank: 2},
	"net.peer.ip":          {field: fieldPeerAddress, rank: rankPeerIP},
	"server.port":          {field: fieldPeerPort, rank: 5, number: true},
	"net.peer.port":        {field: fieldPeerPort, rank: rankPeerName, number: true},
	"network.peer.port":    {field: fieldPeerPort, rank: 3, number: true},
	"net.sock.peer.port":   {field: fieldPeerPort, rank: 2, number: true},
}

// An address and the port of the same rank belong together; net.peer.port
// belongs to net.peer.ip as well, which a name stands above.
const (
	rankPeerName = 4
	rankPeerIP   = 1
)

// conventions is spanFields by fingerprint, each in the first free place from its
// own on: most keys are told from all of them by a single comparison.
var conventions = func() (table [1 << conventionBits]namedConvention) {
	for name, c := range spanFields {
		at := conventionPlace([]byte(name))
		for table[at].name != "" {
			at = (at + 1) % len(table)
		}
		table[at] = namedConvention{name: name, convention: c}
	}
	return table
}()

const conventionBits = 8 // several times the conventions, so that places stay free

type namedConvention struct {
	name string
	convention
}

func conventionPlace(key []byte) int { return int(column.Fingerprint(key) >> (64 - conventionBits)) }

// conventionOf looks an attribute's key up among spanFields.
func conventionOf(key []byte) (convention, bool) {
	for at := conventionPlace(key); ; at = (at + 1) % len(conventions) {
		switch c := &conventions[at]; c.name {
		case "":
			return convention{}, false
		case string(key):
			return c.convention, true
		}
	}
}

func (c convention) accepts(value []byte) bool {
	if !c.number {
		return len(value) > 0
	}
	_, ok := number(value)
	return ok
}

func number(v []byte) (uint64, bool) {
	if len(v) == 0 || len(v) > 19 {
		return 0, false
	}
	var n uint64
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// settle gives every field its final value: it joins parts, and turns back
// into attributes what does not apply to this span.
func (r *Row) settle() {
	if n, _ := number(r.known[fieldHTTPStatus].value); n > 999 {
		r.demote(fieldHTTPStatus)
	}
	if r.known[fieldURL].rank > 0 {
		r.demote(fieldPath)
	}
	if path := &r.known[fieldPath]; path.rank == 0 || bytes.IndexByte(path.value, '?') >= 0 {
		r.demote(fieldQuery)
	}
	if method := &r.known[fieldRPCMethod]; method.rank == 0 || bytes.IndexByte(method.value, '/') >= 0 {
		r.demote(fieldRPCService) // newer senders write both into rpc.method
	}
	// On a server span server.address is the application itself and the peer
	// its client, one of very many: neither is a column.
	address, port := &r.known[fieldPeerAddress], &r.known[fieldPeerPort]
	if r.Kind == kindServer || address.rank == 0 {
		r.demote(fieldPeerAddress)
		r.demote(fieldPeerPort)
	} else if port.rank != address.rank && (address.rank != rankPeerIP || port.rank != rankPeerName) {
		r.demote(fieldPeerPort) // the port of another address
	}
}

// text returns a field's value, cleaned.
func (r *Row) text(f field, limit int) []byte { return r.clean(r.known[f].value, limit) }

// integer returns a numeric field's value, 0 when it is not set.
func (r *Row) integer(f field) uint64 {
	n, _ := number(r.known[f].value)
	return n
}

// url is the full URL where it was sent, else path and query.
func (r *Row) url() []byte {
	if r.known[fieldURL].rank > 0 {
		return r.text(fieldURL, otel.MaxValueLength)
	}
	path := r.text(fieldPath, otel.MaxValueLength)
	if query := r.text(fieldQuery, otel.MaxValueLength); len(query) > 0 {
		return r.scratch.Join(path, '?', query)
	}
	return path
}

// rpc is "service/method".
func (r *Row) rpc() []byte {
	method := r.text(fieldRPCMethod, otel.MaxNameLength)
	if service := r.text(fieldRPCService, otel.MaxNameLength); len(service) > 0 {
		return r.scratch.Join(service, '/', method)
	}
	return method
}

// peer is "address" or "address:port".
func (r *Row) peer() []byte {
	address := r.text(fieldPeerAddress, otel.MaxNameLength)
	if port := r.known[fieldPeerPort].value; len(port) > 0 {
		return r.scratch.Join(address, ':', port)
	}
	return address
}

// statement is the SQL or command as sent. A statement whose text the sender
// keeps to itself is told as far as its other attributes tell it, with an
// ellipsis for the rest: "SELECT … FROM orders".
func (r *Row) statement() []byte {
	text := r.text(fieldDBStatement, MaxStatementLength)
	if len(text) > 0 || r.known[fieldDBSystem].rank == 0 {
		return text
	}
	operation := r.known[fieldDBOperation].value
	var target, summary []byte
	for i := range r.attrs {
		switch a := &r.attrs[i]; string(a.Key) {
		case "db.collection.name", "db.sql.table":
			target = a.Value
		case "db.query.summary": // such as "SELECT orders items"
			summary = a.Value
		}
	}
	if words := bytes.Fields(summary); len(words) > 0 {
		if len(operation) == 0 {
			operation = words[0]
		}
		if len(target) == 0 && len(words) > 1 {
			target = words[1]
		}
	}
	return r.outline(operation, target)
}

// outline words an SQL operation on a table. It is empty for operations that
// are none, such as opening a connection or finding a document.
func (r *Row) outline(operation, table []byte) []byte {
	verb := string(bytes.ToUpper(operation))
	before, after := verb+" ", " …"
	switch verb {
	case "SELECT":
		before, after = "SELECT … FROM ", ""
	case "INSERT", "REPLACE":
		before = verb + " INTO "
	case "DELETE":
		before = "DELETE FROM "
	case "UPDATE", "CALL":
	default:
		return nil
	}
	if table = r.clean(table, otel.MaxNameLength); len(table) == 0 {
		before, after = verb, " …"
	}
	return r.scratch.Concat([]byte(before), table, []byte(after))
}

// operation is what rollups and transactions call the span.
func (r *Row) operation(name, method, route, rpc []byte) []byte {
	switch {
	case !r.Entry():
		return name
	case len(method) > 0 && len(route) > 0:
		return r.scratch.Join(method, ' ', route)
	case len(rpc) > 0:
		return rpc
	}
	return name
}
