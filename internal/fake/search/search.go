// Package search is a stand-in for Elasticsearch and OpenSearch, as far as records
// are brought to data streams: index templates, the bulk API, refresh, and a
// search by ids. It is strict: what the real ones would refuse is noted as a
// fault, and documents are checked against the mapping of their template.
package search

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
)

// Document is a stored one.
type Document struct {
	Index  string // that backs the stream
	SeqNo  int64  // of its last change
	Stream string
	ID     string
	Fields map[string]any
}

// Server is a running stand-in.
type Server struct {
	URL string

	http *httptest.Server

	mu        sync.Mutex
	cluster   string
	templates map[string]template
	docs      []Document
	visible   int            // of docs, what a search finds
	rolled    map[string]int // generation of the streams
	faults    []string
	bulks     int
	before    func(w http.ResponseWriter, r *http.Request, body []byte) bool
	changes   int64 // of documents so far
	item      func(Document) (status int, kind string)
	after     func()
}

type template struct {
	raw      json.RawMessage
	patterns []string
	fields   map[string]string // types
}

// Start runs a stand-in with an empty cluster.
func Start() *Server {
	s := &Server{cluster: "cluster-1", templates: map[string]template{}, rolled: map[string]int{}}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// Close ends it.
func (s *Server) Close() { s.http.Close() }

// Before is asked with each request; when it answers itself it returns true.
func (s *Server) Before(f func(w http.ResponseWriter, r *http.Request, body []byte) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// Item decides the outcome of a document; status 0 lets it be stored.
func (s *Server) Item(f func(Document) (status int, kind string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.item = f
}

// After is called once, when the next bulk was carried out and is not yet answered.
// When it panics with http.ErrAbortHandler the answer is lost.
func (s *Server) After(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = f
}

// Replace makes it another cluster, with nothing in it.
func (s *Server) Replace(cluster string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cluster, s.docs, s.visible, s.templates, s.rolled = cluster, nil, 0, map[string]template{}, map[string]int{}
}

// RollOver begins a new index of every stream, as a lifecycle policy does.
func (s *Server) RollOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for stream := range s.rolled {
		s.rolled[stream]++
	}
}

// Documents are those of a stream.
func (s *Server) Documents(stream string) (docs []Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.docs {
		if d.Stream == stream {
			docs = append(docs, d)
		}
	}
	return docs
}

// Faults are what the real ones would not have taken.
func (s *Server) Faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Bulks is the number of bulk requests so far.
func (s *Server) Bulks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bulks
}

// Template returns an index template as it was put, nil for none.
func (s *Server) Template(name string) json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.templates[name].raw
}

func (s *Server) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

func read(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(z)
	return body, errors.Join(err, z.Close())
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := read(r)
	s.mu.Lock()
	before := s.before
	if err != nil {
		s.fault("%s %s: %v", r.Method, r.URL.Path, err)
	}
	s.mu.Unlock()
	if before != nil && before(w, r, body) {
		return
	}
	s.mu.Lock()
	status, answer := s.answer(r, body)
	after := s.after
	if r.URL.Path == "/_bulk" {
		s.bulks++
		s.after = nil
	} else {
		after = nil
	}
	s.mu.Unlock()
	if after != nil {
		after()
	}
	Answer(w, status, answer)
}

// Answer writes an answer in JSON.
func Answer(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// Failure is the body of a refusal.
func Failure(status int, kind string) map[string]any {
	return map[string]any{"error": map[string]any{"type": kind, "reason": "Preview of field's value: 'secret'"}, "status": status}
}

func (s *Server) answer(r *http.Request, body []byte) (int, any) {
	name, isTemplate := strings.CutPrefix(r.URL.Path, "/_index_template/")
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/":
		return http.StatusOK, map[string]any{"cluster_uuid": s.cluster, "version": map[string]any{"number": "9.1.0"}}
	case r.Method == http.MethodGet && isTemplate:
		t, ok := s.templates[name]
		if !ok {
			return http.StatusNotFound, Failure(http.StatusNotFound, "resource_not_found_exception")
		}
		return http.StatusOK, map[string]any{"index_templates": []any{map[string]any{"name": name, "index_template": t.raw}}}
	case r.Method == http.MethodPut && isTemplate:
		return s.put(name, body)
	case r.Method == http.MethodPost && r.URL.Path == "/_bulk":
		return s.bulk(r, body)
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/_refresh"):
		s.visible = len(s.docs)
		return http.StatusOK, map[string]any{"_shards": map[string]int{"failed": 0}}
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/_search"):
		return s.search(body)
	}
	s.fault("%s %s is not known", r.Method, r.URL)
	return http.StatusBadRequest, Failure(http.StatusBadRequest, "illegal_argument_exception")
}

func (s *Server) put(name string, body []byte) (int, any) {
	var t struct {
		Patterns []string        `json:"index_patterns"`
		Stream   json.RawMessage `json:"data_stream"`
		Priority *int            `json:"priority"`
		Version  *int            `json:"version"`
		Meta     map[string]any  `json:"_meta"`
		Template struct {
			Settings map[string]any `json:"settings"`
			Mappings struct {
				Dynamic    *bool `json:"dynamic"`
				Properties map[string]struct {
					Type    string `json:"type"`
					Above   int    `json:"ignore_above"`
					Enabled *bool  `json:"enabled"` // of an object
				} `json:"properties"`
			} `json:"mappings"`
		} `json:"template"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&t); err != nil || len(t.Patterns) == 0 || string(t.Stream) != "{}" {
		s.fault("index template: %v: %s", err, body)
		return http.StatusBadRequest, Failure(http.StatusBadRequest, "x_content_parse_exception")
	}
	fields := map[string]string{}
	for field, p := range t.Template.Mappings.Properties {
		fields[field] = p.Type
	}
	if fields["@timestamp"] != "date" {
		s.fault("a data stream needs @timestamp")
	}
	s.templates[name] = template{slices.Clone(body), t.Patterns, fields}
	return http.StatusOK, map[string]bool{"acknowledged": true}
}

func (s *Server) of(stream string) (template, bool) {
	for _, t := range s.templates {
		if slices.Contains(t.patterns, stream) {
			return t, true
		}
	}
	return template{}, false
}

func (s *Server) bulk(r *http.Request, body []byte) (int, any) {
	if got := r.Header.Get("Content-Type"); got != "application/x-ndjson" && got != "application/json" {
		s.fault("bulk as %q", got)
		return http.StatusNotAcceptable, Failure(http.StatusNotAcceptable, "content_type_header_exception")
	}
	if !bytes.HasSuffix(body, []byte("\n")) {
		s.fault("a bulk must end in a line feed")
		return http.StatusBadRequest, Failure(http.StatusBadRequest, "illegal_argument_exception")
	}
	var items []any
	failed := false
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, 1<<30)
	for lines.Scan() {
		var action struct {
			Create *struct {
				Index string `json:"_index"`
				ID    string `json:"_id"`
			} `json:"create"`
			Replace *replacement `json:"index"`
		}
		if err := json.Unmarshal(lines.Bytes(), &action); err != nil || (action.Create == nil) == (action.Replace == nil) || !lines.Scan() {
			s.fault("a data stream takes create only: %s", lines.Bytes())
			return http.StatusBadRequest, Failure(http.StatusBadRequest, "illegal_argument_exception")
		}
		if r := action.Replace; r != nil {
			status, kind := s.replace(r, lines.Bytes())
			item := map[string]any{"_index": r.Index, "_id": r.ID, "status": status}
			if kind != "" {
				failed = true
				item["error"] = map[string]string{"type": kind, "reason": "Preview of field's value: 'secret'"}
			}
			items = append(items, map[string]any{"index": item})
			continue
		}
		d := Document{Stream: action.Create.Index, ID: action.Create.ID}
		if err := json.Unmarshal(lines.Bytes(), &d.Fields); err != nil {
			s.fault("document %s: %v", d.ID, err)
		}
		status, kind := s.create(d)
		item := map[string]any{"_index": d.Stream, "_id": d.ID, "status": status}
		if kind != "" {
			failed = true
			item["error"] = map[string]string{"type": kind, "reason": "Preview of field's value: 'secret'"}
		}
		items = append(items, map[string]any{"create": item})
	}
	return http.StatusOK, map[string]any{"took": 1, "errors": failed, "items": items}
}

func (s *Server) create(d Document) (status int, kind string) {
	t, ok := s.of(d.Stream)
	if !ok {
		s.fault("there is no index template for %s", d.Stream)
		return http.StatusBadRequest, "index_not_found_exception"
	}
	if s.item != nil {
		if status, kind := s.item(d); status != 0 {
			return status, kind
		}
	}
	for field, value := range d.Fields {
		if kind := t.fields[field]; !fits(kind, value) {
			s.fault("field %s of type %q holds %v", field, kind, value)
		}
	}
	if _, ok := s.rolled[d.Stream]; !ok {
		s.rolled[d.Stream] = 1
	}
	d.Index = fmt.Sprintf(".ds-%s-%06d", d.Stream, s.rolled[d.Stream])
	for _, have := range s.docs {
		if have.Index == d.Index && have.ID == d.ID { // and not: of the whole stream
			return http.StatusConflict, "version_conflict_engine_exception"
		}
	}
	s.changes++
	d.SeqNo = s.changes
	s.docs = append(s.docs, d)
	return http.StatusCreated, ""
}

// replacement is a document in the place of one that an index behind a data stream
// holds. It must say over which change.
type replacement struct {
	Index string `json:"_index"`
	ID    string `json:"_id"`
	SeqNo *int64 `json:"if_seq_no"`
	Term  *int64 `json:"if_primary_term"`
}

func (s *Server) replace(r *replacement, source []byte) (status int, kind string) {
	if !strings.HasPrefix(r.Index, ".ds-") || r.SeqNo == nil || r.Term == nil {
		s.fault("an index behind a data stream takes no replacement without if_seq_no and if_primary_term, and a stream none at all: %+v", r)
		return http.StatusBadRequest, "illegal_argument_exception"
	}
	at := slices.IndexFunc(s.docs, func(d Document) bool { return d.Index == r.Index && d.ID == r.ID })
	if at < 0 || s.docs[at].SeqNo != *r.SeqNo || *r.Term != 1 {
		return http.StatusConflict, "version_conflict_engine_exception"
	}
	d := s.docs[at]
	d.Fields = nil
	if err := json.Unmarshal(source, &d.Fields); err != nil {
		s.fault("document %s: %v", d.ID, err)
	}
	if s.item != nil {
		if status, kind := s.item(d); status != 0 {
			return status, kind
		}
	}
	s.changes++
	d.SeqNo = s.changes
	s.docs[at] = d
	return http.StatusOK, ""
}

// fits reports whether a type of the mapping takes a value; "" is no field of it.
func fits(kind string, value any) bool {
	if list, ok := value.([]any); ok {
		return !slices.ContainsFunc(list, func(v any) bool { return !fits(kind, v) })
	}
	switch v := value.(type) {
	case string:
		return kind == "keyword" || kind == "text" || kind == "date"
	case bool:
		return kind == "boolean"
	case float64:
		return kind == "double" || kind == "long" && v == float64(int64(v))
	case map[string]any:
		return kind == "object"
	}
	return false
}

func (s *Server) search(body []byte) (int, any) {
	var q struct {
		Query struct {
			IDs struct {
				Values []string `json:"values"`
			} `json:"ids"`
		} `json:"query"`
		Source *bool `json:"_source"`
		SeqNo  bool  `json:"seq_no_primary_term"`
		Size   int   `json:"size"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&q); err != nil || q.Size > 10_000 || len(q.Query.IDs.Values) > q.Size {
		s.fault("search: %v: %.200s", err, body)
	}
	hits := []any{}
	for _, d := range s.docs[:s.visible] {
		if slices.Contains(q.Query.IDs.Values, d.ID) {
			hit := map[string]any{"_index": d.Index, "_id": d.ID}
			if q.SeqNo {
				hit["_seq_no"], hit["_primary_term"] = d.SeqNo, 1
			}
			hits = append(hits, hit)
		}
	}
	return http.StatusOK, map[string]any{"timed_out": false, "_shards": map[string]int{"failed": 0}, "hits": map[string]any{"hits": hits}}
}
