package trace

import "bytes"

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

func conventionPlace(key []byte) int { return int(fingerprint(key) >> (64 - conventionBits)) }

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
		return r.text(fieldURL, MaxValueLength)
	}
	path := r.text(fieldPath, MaxValueLength)
	if query := r.text(fieldQuery, MaxValueLength); len(query) > 0 {
		return r.join(path, '?', query)
	}
	return path
}

// rpc is "service/method".
func (r *Row) rpc() []byte {
	method := r.text(fieldRPCMethod, MaxNameLength)
	if service := r.text(fieldRPCService, MaxNameLength); len(service) > 0 {
		return r.join(service, '/', method)
	}
	return method
}

// peer is "address" or "address:port".
func (r *Row) peer() []byte {
	address := r.text(fieldPeerAddress, MaxNameLength)
	if port := r.known[fieldPeerPort].value; len(port) > 0 {
		return r.join(address, ':', port)
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
		switch a := &r.attrs[i]; string(a.key) {
		case "db.collection.name", "db.sql.table":
			target = a.value
		case "db.query.summary": // such as "SELECT orders items"
			summary = a.value
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
	if table = r.clean(table, MaxNameLength); len(table) == 0 {
		before, after = verb, " …"
	}
	at := len(r.scratch)
	r.scratch = append(r.scratch, before...)
	r.scratch = append(r.scratch, table...)
	r.scratch = append(r.scratch, after...)
	return r.scratch[at:len(r.scratch):len(r.scratch)]
}

// operation is what rollups and transactions call the span.
func (r *Row) operation(name, method, route, rpc []byte) []byte {
	switch {
	case !r.Entry():
		return name
	case len(method) > 0 && len(route) > 0:
		return r.join(method, ' ', route)
	case len(rpc) > 0:
		return rpc
	}
	return name
}

// Resource is what the spans of one process share, as columns of each of them.
type Resource struct {
	ID          uint64 // of the row in resources, 0 when it has none
	Service     []byte
	Environment []byte
	Instance    []byte
	Version     []byte
}

// UnknownService is the name of an application that does not say its own.
const UnknownService = "unknown_service"

// ResourceBuilder reads a Resource out of resource attributes. It is reused:
// Reset, then Attribute for each, then Resource. Slices as in Row.
type ResourceBuilder struct {
	Dropped uint64 // attributes that the sender cut; the builder adds what it cuts itself

	known [resourceFieldCount]known
	attrs []attribute
	row   Row // lends its scratch for cleaning
}

type resourceField uint8

const (
	resourceService resourceField = iota
	resourceEnvironment
	resourceInstance
	resourceVersion
	resourceFieldCount
)

var resourceFields = map[string]struct {
	field resourceField
	rank  uint8
}{
	"service.name":                {resourceService, 1},
	"service.version":             {resourceVersion, 1},
	"deployment.environment.name": {resourceEnvironment, 2},
	"deployment.environment":      {resourceEnvironment, 1},
	"k8s.pod.name":                {resourceInstance, 4},
	"service.instance.id":         {resourceInstance, 3},
	"host.name":                   {resourceInstance, 2},
}

// resourceRank is how well an attribute says what its field means. An instance
// is what one looks for at night: a pod or a host by its name. An id that an SDK
// draws at each start, as the Java agent does, comes last.
func resourceRank(f resourceField, rank uint8, value []byte) uint8 {
	if f == resourceInstance && rank == 3 && isUUID(value) {
		return 1
	}
	return rank
}

// isUUID reports whether v is written as RFC 9562 has it: 8-4-4-4-12 hex digits.
func isUUID(v []byte) bool {
	if len(v) != 36 {
		return false
	}
	for i, c := range v {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if hex := '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'; !hex {
				return false
			}
		}
	}
	return true
}

// Reset empties the builder for the next resource.
func (b *ResourceBuilder) Reset() {
	b.known, b.Dropped = [resourceFieldCount]known{}, 0
	b.attrs = b.attrs[:0]
	b.row.Reset()
}

// Attribute adds an attribute of the resource. Unlike a span's, all of them
// are also kept in the resource's row. Those beyond MaxAttributes are left out
// of it and counted, in spans.dropped of each of its spans, but are still read
// for their meaning.
func (b *ResourceBuilder) Attribute(key, value []byte) {
	key, value = b.row.clean(key, MaxKeyLength), b.row.clean(value, MaxValueLength)
	if f, ok := resourceFields[string(key)]; ok && len(value) > 0 {
		if rank := resourceRank(f.field, f.rank, value); rank > b.known[f.field].rank {
			b.known[f.field] = known{key: key, value: value, rank: rank}
		}
	}
	if len(b.attrs) >= MaxAttributes {
		b.Dropped++
		return
	}
	b.attrs = append(b.attrs, attribute{key: key, value: value})
}

// Resource returns what was read, under the given id. Its slices live until
// the next Reset.
func (b *ResourceBuilder) Resource(id uint64) Resource {
	text := func(f resourceField) []byte { return b.row.clean(b.known[f].value, MaxNameLength) }
	r := Resource{
		ID: id, Service: text(resourceService), Environment: text(resourceEnvironment),
		Instance: text(resourceInstance), Version: text(resourceVersion),
	}
	if len(r.Service) == 0 {
		r.Service = []byte(UnknownService)
	}
	return r
}
