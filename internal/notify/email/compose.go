package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

// compose writes m as a mail: text, the same as HTML, and its pictures inside.
func compose(s settings, m notify.Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithCharset(gomail.CharsetUTF8), gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	msg.ToMailAddress(s.to...)
	title := m.Title(maxTitle, notify.Characters)
	msg.Subject(title)
	msg.SetDateWithValue(time.Now())
	_, host, _ := strings.Cut(s.from.Address, "@")
	msg.SetMessageIDWithValue(id(m.Key, host))
	if m.Thread != "" {
		// No mail has this id: readers still put those together that refer to it.
		root := "<" + id(m.CaseKey(255)+"/"+s.To, host) + ">"
		msg.SetGenHeader(gomail.HeaderReferences, root)
		msg.SetGenHeader(gomail.HeaderInReplyTo, root)
	}
	// So that no out-of-office answer comes back (RFC 3834).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.Severity == notify.Critical && m.State != notify.Resolved {
		msg.SetImportance(gomail.ImportanceHigh)
	}
	m.Text = strings.ReplaceAll(strings.ToValidUTF8(m.Text, "\uFFFD"), "\x00", "")
	text := m.Shorter(maxText, notify.Characters)
	link := m.Address(maxLink)
	plain := text
	for _, picture := range m.Pictures {
		plain += "\n\n" + picture.Alt
	}
	if link != "" {
		plain += "\n\n" + linkText(m) + ": " + link
	}
	var actions []notify.Action // beside the page itself
	if link != "" {
		actions = m.Buttons(maxLink)[1:]
	}
	for _, b := range actions {
		plain += "\n" + b.Label + ": " + b.URL
	}
	msg.SetBodyString(gomail.TypeTextPlain, plain+"\n")
	p := page{Title: title, Link: link, LinkText: linkText(m), Actions: actions, Color: color(m), Fixed: m.Fixed, Sections: notify.Sections(text),
		Language: m.Language, Project: strings.Trim(m.Service+" · "+m.Environment, " ·")}
	if m.Fixed {
		p.Sections = []notify.Section{{Body: text}}
	}
	for i, picture := range m.Pictures {
		name := fmt.Sprintf("picture-%d.png", i+1)
		p.Pictures = append(p.Pictures, shown{CID: name, Alt: picture.Alt, Width: picture.Width})
		if err := msg.EmbedReader(name, bytes.NewReader(picture.PNG), gomail.WithFileContentID(name),
			gomail.WithFileContentType("image/png"), gomail.WithFileDescription(picture.Alt)); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "a picture cannot be attached")
		}
	}
	var html bytes.Buffer
	if err := layout.Execute(&html, p); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the message cannot be laid out")
	}
	msg.AddAlternativeString(gomail.TypeTextHTML, html.String())
	return msg, nil
}

// id is a Message-ID that is the same at every attempt.
func id(key, host string) string {
	sum := sha256.Sum256([]byte(key))
	return "matrix." + hex.EncodeToString(sum[:16]) + "@" + host
}

func linkText(m notify.Message) string {
	if m.LinkText != "" {
		return m.LinkText
	}
	return "MATRIX"
}

func color(m notify.Message) string {
	switch {
	case m.State == notify.Resolved:
		return "#2b8a3e"
	case m.Severity == notify.Warning:
		return "#e67700"
	case m.Severity == notify.Info:
		return "#1971c2"
	}
	return "#c92a2a"
}

type page struct {
	Title, Link, LinkText, Color, Language, Project string
	Actions                                         []notify.Action
	Fixed                                           bool
	Sections                                        []notify.Section
	Pictures                                        []shown
}

type shown struct {
	CID, Alt string
	Width    int
}

// layout is one column of plain elements with their styles on them: what mail
// readers show alike. A reader in the dark turns its colours around itself.
var layout = template.Must(template.New("mail").Funcs(template.FuncMap{
	"lines": func(s string) []string { return strings.Split(s, "\n") },
	"cid":   func(name string) template.URL { return template.URL("cid:" + name) },
}).Parse(`<!DOCTYPE html>
<html lang="{{.Language}}">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>{{.Title}}</title></head>
<body style="margin:0;padding:24px;font-family:-apple-system,'Segoe UI','Apple SD Gothic Neo','Malgun Gothic',sans-serif;font-size:14px;line-height:1.55">
<div style="max-width:720px;margin:0 auto">
<div style="border-left:4px solid {{.Color}};padding-left:12px">
<h1 style="font-size:18px;line-height:1.35;margin:0">{{.Title}}</h1>
{{- with .Project}}<p style="margin:2px 0 0;opacity:.7">{{.}}</p>{{end}}
</div>
{{range .Sections}}
{{- with .Heading}}<h2 style="font-size:14px;margin:20px 0 4px">{{.}}</h2>
{{end}}
{{- if $.Fixed}}<pre style="font-family:ui-monospace,Consolas,monospace;font-size:13px;white-space:pre-wrap;margin:16px 0">{{.Body}}</pre>
{{else if .Body}}<p style="margin:8px 0">{{range $i, $line := lines .Body}}{{if $i}}<br>
{{end}}{{$line}}{{end}}</p>
{{end}}
{{- end}}
{{range .Pictures}}<p style="margin:16px 0"><img src="{{cid .CID}}" alt="{{.Alt}}"{{with .Width}} width="{{.}}"{{end}} style="max-width:100%;height:auto"></p>
{{end}}
{{- with .Link}}<p style="margin:24px 0"><a href="{{.}}" style="display:inline-block;padding:9px 16px;border-radius:4px;background:{{$.Color}};color:#ffffff;text-decoration:none">{{$.LinkText}}</a>
{{- range $.Actions}} <a href="{{.URL}}" style="display:inline-block;margin-left:8px;padding:8px 15px;border:1px solid {{$.Color}};border-radius:4px;color:{{$.Color}};text-decoration:none">{{.Label}}</a>{{end}}</p>
{{end}}</div>
</body>
</html>
`))
