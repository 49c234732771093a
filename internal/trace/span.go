package trace

import (
	"strings"
	"time"
)

// Trace is everything stored under one trace id.
type Trace struct {
	TraceID    TraceID   `json:"trace_id"`
	Start      time.Time `json:"start"`       // of the earliest span
	DurationNs int64     `json:"duration_ns"` // to the end of the latest span
	Services   []string  `json:"services"`    // in order of appearance
	Spans      []Span    `json:"spans"`       // by start
	Truncated  bool      `json:"truncated"`   // true: only the first 50,000 spans by start are here
}

// Kind is the kind of a span with the numbers of OTLP.
type Kind uint8

// The kinds of spans.
const (
	KindInternal Kind = iota + 1
	KindServer
	KindClient
	KindProducer
	KindConsumer
)

var kindNames = [...]string{"internal", "internal", "server", "client", "producer", "consumer"}

// String returns the kind in lower case; unspecified is internal, as OTLP says.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[0]
}

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Status is the status of a span with the numbers of OTLP.
type Status uint8

// The statuses.
const (
	StatusUnset Status = iota
	StatusOK
	StatusError
)

var statusNames = [...]string{"unset", "ok", "error"}

// String returns the status in lower case.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return statusNames[0]
}

// MarshalText implements encoding.TextMarshaler.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Span is one span as it is shown. Offsets are from the trace's start.
type Span struct {
	SpanID        SpanID            `json:"span_id"`
	ParentID      SpanID            `json:"parent_id"` // "" for a root
	Service       string            `json:"service"`
	Instance      string            `json:"instance"`
	Environment   string            `json:"environment"`
	Version       string            `json:"version"`
	Name          string            `json:"name"`
	Operation     string            `json:"operation"` // of an entry "GET /route" or the rpc, else the name
	Kind          Kind              `json:"kind"`
	Status        Status            `json:"status"`
	StatusMessage string            `json:"status_message"`
	Start         time.Time         `json:"start"`
	StartOffsetNs int64             `json:"start_offset_ns"`
	DurationNs    int64             `json:"duration_ns"`
	Entry         bool              `json:"entry"` // server, consumer or root: a transaction begins here
	DB            *DBCall           `json:"db"`
	HTTP          *HTTP             `json:"http"`
	RPC           string            `json:"rpc"`       // "service/method"
	Messaging     string            `json:"messaging"` // destination
	Peer          string            `json:"peer"`      // "address" or "address:port"
	Exception     *Exception        `json:"exception"` // the first of the events
	Attributes    map[string]string `json:"attributes"`
	Resource      map[string]string `json:"resource"`
	Events        []Event           `json:"events"`
	Links         []Link            `json:"links"`
	Dropped       int               `json:"dropped"` // attributes, events and links that were cut

	missing bool // it was never stored: it stands for the parent of others
	linked  bool // it has links, which were not read
}

// title is what a span is called where it is shown: an entry after its endpoint,
// SQL after its verb and tables, a call after where it goes.
func (s *Span) title() string {
	switch {
	case s.Entry && s.Operation != "":
		return s.Operation
	case s.DB != nil && len(s.DB.Tables) > 0:
		return strings.TrimSpace(s.DB.Operation + " " + strings.Join(s.DB.Tables, ", "))
	case s.Kind == KindClient && s.HTTP != nil && s.HTTP.Method != "" && s.Peer != "":
		return s.HTTP.Method + " " + s.Peer
	}
	return s.Name
}

// End returns when the span ended.
func (s *Span) End() time.Time { return s.Start.Add(time.Duration(s.DurationNs)) }

// DBCall is the database side of a span.
type DBCall struct {
	System    string   `json:"system"`
	Name      string   `json:"name"` // database
	Operation string   `json:"operation"`
	Statement string   `json:"statement"` // raw
	Text      string   `json:"normalized"`
	Title     string   `json:"statement_name"` // what the program calls the statement
	Kinds     []string `json:"kinds"`
	Tables    []string `json:"tables"`
	Joins     int      `json:"joins"`
	Hash      string   `json:"hash"` // 16 hex, "" when it is no SQL
	Rows      uint64   `json:"rows"` // fetched, 0 when unknown
}

// HTTP is the HTTP side of a span.
type HTTP struct {
	Method string `json:"method"`
	Route  string `json:"route"`
	Status int    `json:"status"`
	URL    string `json:"url"`
}

// Exception is one recorded exception.
type Exception struct {
	Type       string `json:"type"`
	Message    string `json:"message"`
	Stacktrace string `json:"stacktrace,omitempty"`
}

// Event is one span event.
type Event struct {
	OffsetNs   int64          `json:"offset_ns"` // from the trace's start
	Name       string         `json:"name"`
	Attributes map[string]any `json:"attributes"`
}

// Link is a reference from a span to another, of this trace or of any.
type Link struct {
	TraceID    TraceID        `json:"trace_id"`
	SpanID     SpanID         `json:"span_id"`
	Attributes map[string]any `json:"attributes"`
}

// exception reads an event of the semantic convention "exception".
func (e *Event) exception() (Exception, bool) {
	if e.Name != "exception" {
		return Exception{}, false
	}
	text := func(key string) string {
		v, _ := e.Attributes[key].(string)
		return v
	}
	return Exception{Type: text("exception.type"), Message: text("exception.message"), Stacktrace: text("exception.stacktrace")}, true
}

// Transaction is one request as one application served it: an entry span and
// the sums of what the application did for it.
type Transaction struct {
	TraceID     TraceID   `json:"trace_id"`
	SpanID      SpanID    `json:"span_id"`
	Service     string    `json:"service"`
	Environment string    `json:"environment"`
	Endpoint    string    `json:"endpoint"` // "GET /route", the rpc, or the span's name
	Instance    string    `json:"instance"`
	Version     string    `json:"version"`
	Start       time.Time `json:"start"`
	ElapsedNs   int64     `json:"elapsed_ns"`
	Error       bool      `json:"error"`
	HTTPStatus  int       `json:"http_status"` // 0: none
	Exception   string    `json:"exception"`   // type of the first exception on the entry span
	// In a list these are summed per (trace, service, instance) over the five
	// minutes, by the clock, that the transaction ran in: two entry spans of one
	// instance in one trace show the same. In a Profile they are of this entry
	// alone, and the times are unions, not sums.
	SQLCount  int   `json:"sql_count"`
	SQLNs     int64 `json:"sql_ns"`
	SQLRows   int64 `json:"sql_rows"` // fetched rows, as far as the program tells
	CallCount int   `json:"call_count"`
	CallNs    int64 `json:"call_ns"`
}

// Ended returns when the transaction ended.
func (t *Transaction) Ended() time.Time { return t.Start.Add(time.Duration(t.ElapsedNs)) }
