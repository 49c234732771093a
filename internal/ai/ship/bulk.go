package ship

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opensearch-project/opensearch-go/v4"
	"github.com/opensearch-project/opensearch-go/v4/opensearchapi"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// ask sends a request and decodes an answer of status 2xx into out. Of any other
// the status is returned, and what the destination calls it.
func (s *Shipper) ask(ctx context.Context, method string, request opensearch.Request, out any) (reply, error) {
	response, err := opensearch.Do(ctx, s.client, method, request, (*opensearch.NoBody)(nil))
	if err != nil {
		if ctx.Err() != nil {
			return reply{}, ctx.Err()
		}
		return reply{}, fault.Wrap(err, fault.Unavailable, "the destination does not answer")
	}
	var body []byte
	if response.Body != nil {
		body, err = io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil {
			return reply{}, fault.Wrap(err, fault.Unavailable, "the answer of the destination broke off")
		}
	}
	r := reply{status: response.StatusCode}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		r.after = time.Duration(seconds) * time.Second
	}
	if r.status/100 != 2 {
		var failure struct {
			Error struct {
				Type string `json:"type"`
			} `json:"error"`
		}
		_ = json.Unmarshal(body, &failure) // a proxy in between answers as it likes
		r.kind = failure.Error.Type
		return r, nil
	}
	if out != nil {
		if err := json.Unmarshal(body, out); err != nil {
			return r, fault.Wrap(err, fault.Unavailable, "the destination does not answer as Elasticsearch or OpenSearch do")
		}
	}
	return r, nil
}

// reply is what a request was answered with.
type reply struct {
	status int
	kind   string        // of the failure
	after  time.Duration // that the destination asks to wait
}

// bad is the error of a reply that must not be.
func (r reply) bad(what string) error {
	kind := fault.Unavailable
	if r.status == http.StatusUnauthorized || r.status == http.StatusForbidden {
		kind = fault.Denied
	}
	return fault.New(kind, "the destination answers %s with %d %s", what, r.status, r.kind)
}

// cluster returns the id of the cluster that answers.
func (s *Shipper) cluster(ctx context.Context) (string, error) {
	var info struct {
		UUID string `json:"cluster_uuid"`
	}
	r, err := s.ask(ctx, http.MethodGet, opensearchapi.InfoReq{}, &info)
	switch {
	case err != nil:
		return "", err
	case r.status/100 != 2:
		return "", r.bad("the question who it is")
	case info.UUID == "" || info.UUID == "_na_":
		return "", fault.New(fault.Unavailable, "the destination has not formed a cluster yet")
	}
	return info.UUID, nil
}

// missing leaves out the documents that the destination has or, with replace, makes
// them replace what it has. A data stream keeps ids apart within one of its indices
// only: what was sent before the newest of them began would be taken a second time.
func (s *Shipper) missing(ctx context.Context, docs []document, replace bool) ([]document, error) {
	streams := []string{s.calls(), s.attempts()}
	ignore := true
	r, err := s.ask(ctx, http.MethodPost, opensearchapi.IndicesRefreshReq{Index: streams, Params: opensearchapi.IndicesRefreshParams{IgnoreUnavailable: &ignore}}, nil)
	if err != nil {
		return nil, err
	}
	if r.status/100 != 2 && r.status != http.StatusNotFound {
		return nil, r.bad("a refresh")
	}
	have := map[string]stored{}
	const most = 5000 // of the 10,000 hits that a search may have
	for part := range slices.Chunk(docs, most) {
		ids := make([]string, len(part))
		for i, d := range part {
			ids[i] = d.id
		}
		query, err := json.Marshal(map[string]any{"query": map[string]any{"ids": map[string]any{"values": ids}}, "_source": false, "seq_no_primary_term": replace, "size": most})
		if err != nil {
			return nil, fmt.Errorf("ask for documents: %w", err)
		}
		var found struct {
			TimedOut bool `json:"timed_out"`
			Shards   struct {
				Failed int `json:"failed"`
			} `json:"_shards"`
			Hits struct {
				Hits []stored `json:"hits"`
			} `json:"hits"`
		}
		partial := false
		r, err := s.ask(ctx, http.MethodPost, opensearchapi.SearchReq{Indices: streams, Body: bytes.NewReader(query), Header: jsonBody,
			Params: opensearchapi.SearchParams{IgnoreUnavailable: &ignore, AllowPartialSearchResults: &partial}}, &found)
		switch {
		case err != nil:
			return nil, err
		case r.status == http.StatusNotFound:
			return docs, nil
		case r.status/100 != 2:
			return nil, r.bad("a search")
		case found.TimedOut || found.Shards.Failed > 0:
			return nil, fault.New(fault.Unavailable, "a part of the destination does not answer")
		}
		for _, hit := range found.Hits.Hits {
			have[hit.ID] = hit
		}
	}
	if len(have) == 0 {
		return docs, nil
	}
	var out []document
	for _, d := range docs {
		hit, found := have[d.id]
		switch {
		case !found:
			out = append(out, d)
		case replace:
			again, err := d.over(hit)
			if err != nil {
				return nil, err
			}
			out = append(out, again)
		}
	}
	return out, nil
}

// stored is where the destination has a document, and which change of it is the last.
type stored struct {
	Index string `json:"_index"`
	ID    string `json:"_id"`
	SeqNo *int64 `json:"_seq_no"`
	Term  *int64 `json:"_primary_term"`
}

// over is the document as it replaces a stored one. A data stream takes new
// documents only; the index behind it that holds the old one takes a replacement,
// if it says which change of the document it is over.
func (d document) over(hit stored) (document, error) {
	if hit.SeqNo == nil || hit.Term == nil || hit.Index == "" {
		return d, fault.New(fault.Unavailable, "the destination does not tell which change of a document is the last")
	}
	action, err := json.Marshal(map[string]any{"index": map[string]any{"_index": hit.Index, "_id": d.id, "if_seq_no": *hit.SeqNo, "if_primary_term": *hit.Term}})
	if err != nil {
		return d, fmt.Errorf("write document: %w", err)
	}
	d.line = append(append(action, '\n'), d.line[d.source:]...)
	d.source, d.replaces = len(action)+1, true
	return d, nil
}

var jsonBody = http.Header{"Content-Type": {"application/json"}}

// send brings documents to the destination and returns those that it will never
// take. An error means that it may have any of them.
func (s *Shipper) send(ctx context.Context, docs []document) (refused []document, err error) {
	pause := time.Second
	for tries := 0; len(docs) > 0; tries++ {
		var again []document
		asked := time.Duration(0)
		for len(docs) > 0 {
			n, size := 0, 0
			for n < len(docs) && (n == 0 || size+len(docs[n].line) <= bulkBytes) {
				size += len(docs[n].line)
				n++
			}
			result, err := s.bulk(ctx, docs[:n])
			if err != nil {
				return nil, err
			}
			refused, again = append(refused, result.refused...), append(again, result.again...)
			asked = max(asked, result.after)
			docs = docs[n:]
		}
		if docs = again; len(docs) == 0 {
			return refused, nil
		}
		const most = 5
		if tries == most {
			return nil, fault.New(fault.Unavailable, "the destination has too much to do")
		}
		if err := s.opts.Wait(ctx, min(max(pause, asked), longest)); err != nil {
			return nil, err
		}
		pause *= 2
	}
	return refused, nil
}

// outcome is what became of the documents of one bulk request; the others are stored.
type outcome struct {
	refused []document
	again   []document // it had too much to do
	after   time.Duration
}

// ofDocument are the failures that a document itself is the reason of: it would
// be refused for ever, and hold up all behind it.
var ofDocument = []string{"mapper_parsing_exception", "document_parsing_exception", "strict_dynamic_mapping_exception", "illegal_argument_exception"}

// ofIndex are the statuses of a replacement that the index will never take: it is
// closed for writing, or was deleted. What was shipped stays as it was.
var ofIndex = []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound}

// bulk sends one request.
func (s *Shipper) bulk(ctx context.Context, docs []document) (outcome, error) {
	var body bytes.Buffer
	for _, d := range docs {
		body.Write(d.line)
	}
	var answer struct {
		Errors bool `json:"errors"`
		Items  []map[string]struct {
			Status int `json:"status"`
			Error  struct {
				Type string `json:"type"`
			} `json:"error"`
		} `json:"items"`
	}
	r, err := s.ask(ctx, http.MethodPost, opensearchapi.BulkReq{Body: bytes.NewReader(body.Bytes()), Header: http.Header{"Content-Type": {"application/x-ndjson"}}}, &answer)
	switch {
	case err != nil:
		return outcome{}, err
	case r.status == http.StatusTooManyRequests:
		return outcome{again: docs, after: r.after}, nil
	case r.status == http.StatusRequestEntityTooLarge && len(docs) == 1:
		s.refuse(ctx, docs[0], cmp.Or(r.kind, "too_large"))
		return outcome{refused: docs}, nil
	case r.status == http.StatusRequestEntityTooLarge:
		first, err := s.bulk(ctx, docs[:len(docs)/2])
		if err != nil {
			return outcome{}, err
		}
		second, err := s.bulk(ctx, docs[len(docs)/2:])
		return outcome{append(first.refused, second.refused...), append(first.again, second.again...), max(first.after, second.after)}, err
	case r.status/100 != 2:
		return outcome{}, r.bad("a bulk")
	case len(answer.Items) != len(docs):
		return outcome{}, fault.New(fault.Unavailable, "the destination answers %d documents with %d results", len(docs), len(answer.Items))
	}
	var out outcome
	for i, item := range answer.Items {
		result, ok := item["create"]
		if docs[i].replaces {
			result, ok = item["index"]
		}
		switch {
		case ok && docs[i].replaces && result.Status != http.StatusTooManyRequests && slices.Contains(ofIndex, result.Status):
			s.log.WarnContext(ctx, "a record of an ai call stays as it was in its destination", "destination", s.opts.Index, "document", docs[i].id, "reason", result.Error.Type)
			out.refused = append(out.refused, docs[i])
		case ok && docs[i].replaces && result.Status == http.StatusConflict:
			return outcome{}, fault.New(fault.Unavailable, "a document was changed in the destination meanwhile")
		case ok && (result.Status/100 == 2 || result.Status == http.StatusConflict): // a conflict: it is there already
		case ok && result.Status == http.StatusTooManyRequests:
			out.again = append(out.again, docs[i])
		case ok && result.Status == http.StatusBadRequest && slices.Contains(ofDocument, result.Error.Type):
			s.refuse(ctx, docs[i], result.Error.Type)
			out.refused = append(out.refused, docs[i])
		default: // nothing that the document could do about
			return outcome{}, reply{status: result.Status, kind: result.Error.Type}.bad("a document")
		}
	}
	return out, nil
}

// refuse logs a document that the destination will never take. What it says of it
// quotes the document, and is not logged.
func (s *Shipper) refuse(ctx context.Context, d document, kind string) {
	s.log.ErrorContext(ctx, "a record of an ai call was refused and is not shipped", "destination", s.opts.Index, "document", d.id, "reason", kind)
}

// bare are addresses without what may be secret in them.
func bare(addresses []string) []string {
	out := make([]string, len(addresses))
	for i, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			continue
		}
		out[i] = strings.TrimSuffix((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String(), "/")
	}
	return out
}
