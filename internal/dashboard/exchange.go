package dashboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Left is something of an imported dashboard that has no place here.
type Left struct {
	What   string `json:"what" enum:"panel,query,variable,option"`
	Name   string `json:"name" doc:"its name or title where it comes from"`
	Reason string `json:"reason" enum:"kind,data_source,empty,unit,repeat,transformations,overrides,annotations,links,expression,name,limit" doc:"why it was left out"`
	Detail string `json:"detail,omitempty" doc:"as its author wrote it"`
}

// Import reads a document, our own or Grafana's, and lists what of it has no place
// here. An error is fault.Invalid and names the field.
func Import(body []byte) (Document, []Left, error) {
	var probe struct {
		Format        string          `json:"format"`
		Dashboard     json.RawMessage `json:"dashboard"` // as Grafana's API answers
		SchemaVersion *int            `json:"schemaVersion"`
		Panels        json.RawMessage `json:"panels"`
	}
	if err := json.Unmarshal(body, &probe); err != nil {
		return Document{}, nil, unreadable(err)
	}
	switch {
	case probe.Format != "":
		var d Document
		strict := json.NewDecoder(bytes.NewReader(body))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&d); err != nil {
			return d, nil, unreadable(err)
		}
		return d, []Left{}, d.check()
	case probe.Dashboard != nil:
		return importGrafana(probe.Dashboard)
	case probe.SchemaVersion != nil || probe.Panels != nil:
		return importGrafana(body)
	}
	return Document{}, nil, bad("body", "this is no dashboard: neither of the format %q nor of Grafana, which has schemaVersion and panels", Format)
}

func unreadable(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return bad("body", "this is not JSON: %s at byte %d", syntax, syntax.Offset)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return bad(wrong.Field, "%s cannot be %s", wrong.Field, wrong.Value)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return bad("body", "the JSON ends too early")
	}
	return bad("body", "%s", err)
}
