package api

import (
	"bytes"
	"context"
	"html/template"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/report"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InIncidentLink is the token of a signed link, whose signature is what is asked
// in place of a session.
type InIncidentLink struct {
	Token string `path:"token" maxLength:"1024"`
}

// linkPage is what whoever follows a link sees. It needs no script, and nothing
// happens before the button: chat programs fetch every address they show.
var linkPage = template.Must(template.New("link").Parse(`<!doctype html>
<html lang="{{.Language}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>{{.Heading}} · MATRIX</title></head>
<body><main><h1>{{.Heading}}</h1><p>#{{.Incident.ID}} {{.Incident.Title}}</p>
{{if .Verb}}<form method="post"><button type="submit">{{.Verb}}</button></form>{{end}}
<p><a href="/projects/{{.Incident.Project}}/incidents/{{.Incident.ID}}">{{.Open}}</a></p></main></body></html>
`))

// linkWords are those of the page in a language.
type linkWords struct {
	Language, Heading, Verb, Open string
	Incident                      incident.Incident
}

func (s *server) registerIncidentLinks() {
	const path = "/api/v1/incident-links/{token}"
	html := func(op huma.Operation) huma.Operation {
		op.Responses = map[string]*huma.Response{"default": s.failure, "200": {Description: "Page", Content: map[string]*huma.MediaType{"text/html": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
		return op
	}
	register(s, public, html(get("show-incident-link", path, "Ask whether to do what a link in a message offers")),
		func(ctx context.Context, _ tenant.Actor, in *InIncidentLink) (*file, error) {
			grant, i, err := s.opts.Incidents.Read(ctx, in.Token)
			if err != nil {
				return nil, err
			}
			return s.linkPage(ctx, i, grant.State, i.State == grant.State || i.Ended())
		})
	register(s, public, html(post("follow-incident-link", path, "Do what a link in a message offers", http.StatusOK)),
		func(ctx context.Context, _ tenant.Actor, in *InIncidentLink) (*file, error) {
			by := incident.Person{Name: "link"}
			if c := callerOf(ctx); c.err == nil && c.actor.UserID != 0 { // who is signed in here anyhow
				by = personOf(c.actor)
			}
			i, err := s.opts.Incidents.Follow(ctx, in.Token, by)
			if err != nil {
				return nil, err
			}
			return s.linkPage(ctx, i, i.State, true)
		})
}

// linkPage asks for what a link does, or says that it is done.
func (s *server) linkPage(ctx context.Context, i incident.Incident, state string, done bool) (*file, error) {
	p, err := s.tenants.Project(ctx, i.Project)
	if err != nil {
		return nil, err
	}
	w := linkWords{Language: "ko", Open: "MATRIX에서 보기", Incident: i}
	verb, asks, is := "확인", "인시던트를 확인 처리할까요?", "인시던트를 확인했습니다"
	if state == incident.Resolved || state == incident.Closed {
		verb, asks, is = "해결 처리", "인시던트를 해결 처리할까요?", "인시던트가 해결되었습니다"
	}
	if p.Language == report.English {
		w.Language, w.Open = "en", "Open in MATRIX"
		verb, asks, is = "Acknowledge", "Acknowledge this incident?", "The incident is acknowledged"
		if state == incident.Resolved || state == incident.Closed {
			verb, asks, is = "Resolve", "Resolve this incident?", "The incident is resolved"
		}
	}
	if w.Heading, w.Verb = asks, verb; done {
		w.Heading, w.Verb = is, ""
	}
	var out bytes.Buffer
	if err := linkPage.Execute(&out, w); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "write page")
	}
	return &file{"text/html; charset=utf-8", "inline", out.Bytes()}, nil
}
