package webhook

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

const (
	maxTemplate = 20_000 // bytes
	asJSON      = "application/json"
	asText      = "text/plain; charset=utf-8"
)

// placeholder is where a template takes a value: {{subject}}. There is nothing
// else to a template, no loops and no calls, so that none can run away.
var placeholder = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

// values are what a template can take, as texts, and data as JSON.
func values(m notify.Message) map[string]string {
	labels, _ := json.Marshal(m.Labels)
	data, err := json.Marshal(m.Data)
	if err != nil {
		data = []byte("null")
	}
	return map[string]string{
		"id": m.Key, "event": m.Kind, "ref": m.Ref, "subject": m.Subject, "text": m.Text, "link": m.Link, "severity": m.Severity,
		"service": m.Service, "environment": m.Environment, "thread": m.Thread, "state": m.State,
		"labels": string(labels), "data": string(data),
	}
}

// raw are the values that are JSON already.
var raw = map[string]bool{"labels": true, "data": true}

// render fills a template. In JSON a value is escaped for the string it stands in.
func render(template, contentType string, m notify.Message) string {
	known := values(m)
	return placeholder.ReplaceAllStringFunc(template, func(found string) string {
		name := placeholder.FindStringSubmatch(found)[1]
		value := strings.ToValidUTF8(known[name], "\uFFFD")
		if contentType != asJSON || raw[name] {
			return value
		}
		quoted, _ := json.Marshal(value)
		return string(quoted[1 : len(quoted)-1])
	})
}

// checkTemplate refuses a template that names what is not there, or that does
// not come out as the JSON it should be.
func (c config) checkTemplate() error {
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField("config." + field)
	}
	if c.Template == "" {
		if c.ContentType != "" {
			return bad("content_type", "content_type is for a template: without one the body is JSON")
		}
		return nil
	}
	switch {
	case len(c.Template) > maxTemplate:
		return bad("template", "template must have at most %d bytes", maxTemplate)
	case c.ContentType != "" && c.ContentType != asJSON && c.ContentType != "text/plain":
		return bad("content_type", "content_type must be application/json or text/plain")
	}
	known := values(notify.Message{})
	for _, found := range placeholder.FindAllStringSubmatch(c.Template, -1) {
		if _, ok := known[found[1]]; !ok {
			return bad("template", "template has {{%s}}, which a message does not have", found[1])
		}
	}
	if c.kind() == asJSON && !json.Valid([]byte(render(c.Template, asJSON, notify.Sample()))) {
		return bad("template", "template does not come out as JSON: values stand in quotes, {{labels}} and {{data}} without")
	}
	return nil
}

func (c config) kind() string {
	if c.ContentType == "text/plain" {
		return asText
	}
	return asJSON
}

// payload returns what is sent for m, and its type. It is the same at every attempt.
func (c config) payload(m notify.Message) ([]byte, string, error) {
	if c.Template != "" {
		return []byte(render(c.Template, c.kind(), m)), c.kind(), nil
	}
	payload, err := json.Marshal(body{ID: m.Key, Event: m.Kind, Project: uint32(m.Project), Ref: m.Ref,
		Subject: m.Subject, Text: m.Text, Link: m.Link, Data: m.Data, Severity: m.Severity, Service: m.Service,
		Environment: m.Environment, Labels: m.Labels, Thread: m.Thread, State: m.State})
	return payload, asJSON, fault.Wrap(err, fault.Invalid, "the message cannot be written as JSON")
}

// Preview implements notify.Previewer. The address and the secret may be missing.
func (c *Channel) Preview(raw json.RawMessage, m notify.Message) (string, error) {
	var cfg config
	if err := notify.ReadConfig(raw, &cfg, `{"template": …}`); err != nil {
		return "", err
	}
	if err := cfg.checkTemplate(); err != nil {
		return "", err
	}
	payload, kind, err := cfg.payload(m)
	if kind == asJSON && err == nil {
		var pretty strings.Builder
		enc := json.NewEncoder(&pretty)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(json.RawMessage(payload))
		return pretty.String(), err
	}
	return string(payload), err
}
