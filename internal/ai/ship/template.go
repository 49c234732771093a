package ship

import (
	"bytes"
	"context"
	_ "embed" // the template
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/opensearch-project/opensearch-go/v4/opensearchapi"
)

//go:embed template.json
var templateText []byte

// template is the index template, for Elasticsearch and OpenSearch alike.
func (s *Shipper) template() (text []byte, version int, err error) {
	var t struct {
		Patterns []string `json:"index_patterns"`
		Priority int      `json:"priority"`
		Version  int      `json:"version"`
		Meta     any      `json:"_meta"`
		Stream   struct{} `json:"data_stream"`
		Template struct {
			Settings map[string]any  `json:"settings"`
			Mappings json.RawMessage `json:"mappings"`
		} `json:"template"`
	}
	if err := json.Unmarshal(templateText, &t); err != nil {
		return nil, 0, fmt.Errorf("read the index template: %w", err)
	}
	t.Patterns = []string{s.calls(), s.attempts()}
	if s.opts.Lifecycle != "" {
		t.Template.Settings["index.lifecycle.name"] = s.opts.Lifecycle
	}
	text, err = json.Marshal(t)
	return text, t.Version, err
}

// prepare puts the index template, unless it is there. One of this version or
// a later one is left as it is: it may have been edited, and another node may be
// newer.
func (s *Shipper) prepare(ctx context.Context) error {
	text, version, err := s.template()
	if err != nil {
		return err
	}
	var found struct {
		Templates []struct {
			Template struct {
				Version int `json:"version"`
			} `json:"index_template"`
		} `json:"index_templates"`
	}
	r, err := s.ask(ctx, http.MethodGet, opensearchapi.IndexTemplateGetReq{IndexTemplates: s.opts.Index}, &found)
	switch {
	case err != nil:
		return err
	case r.status == http.StatusNotFound:
	case r.status/100 != 2:
		return r.bad("the question for its index template")
	case len(found.Templates) == 1 && found.Templates[0].Template.Version >= version:
		return nil
	}
	r, err = s.ask(ctx, http.MethodPut, opensearchapi.IndexTemplateCreateReq{IndexTemplate: s.opts.Index, Body: bytes.NewReader(text), Header: jsonBody}, nil)
	if err == nil && r.status/100 != 2 {
		err = r.bad("an index template")
	}
	return err
}
