package slack

import (
	"fmt"

	slackapi "github.com/slack-go/slack"

	"github.com/matrix-aiops/matrix/internal/notify"
)

// Slack's limits, in UTF-16 units where they count characters. A message over
// one of them is refused whole.
const (
	headerLimit = 150
	textLimit   = 3000
	buttonLimit = 75
	urlLimit    = 3000
	valueLimit  = 2000
	// fallbackLimit is ours: the text of a push message.
	fallbackLimit = 300
	partLimit     = 16 // ours, far below Slack's 50 blocks: beyond that the page is the place to read
)

// blocks lays m out: a header, the text, a button. The text goes into
// rich_text blocks, whose elements Slack shows as they are: in mrkdwn,
// `COUNT(*)` twice on a line turns bold and loses its asterisks, and
// `<!channel>` inside an exception message would wake everybody.
func blocks(m notify.Message, interactive bool) []slackapi.Block {
	m.Subject = mark(m) + m.Subject
	header := slackapi.NewTextBlockObject(slackapi.PlainTextType, m.Title(headerLimit, notify.UTF16), false, false)
	out := []slackapi.Block{slackapi.NewHeaderBlock(header)}
	text := m.Shorter(partLimit, func(text string) int { return len(parts(text, m.Fixed)) })
	for _, part := range parts(text, m.Fixed) {
		out = append(out, richText(part.Heading, part.Body, m.Fixed))
	}
	return append(out, buttons(m, interactive)...)
}

// mark says at the head of a message that its case is not open any more.
func mark(m notify.Message) string {
	switch {
	case m.State == notify.Resolved && m.Language == "ko":
		return "✅ 해결됨 · "
	case m.State == notify.Resolved:
		return "✅ Resolved · "
	case m.State == notify.Acknowledged && m.Language == "ko":
		return "👀 확인됨 · "
	case m.State == notify.Acknowledged:
		return "👀 Acknowledged · "
	}
	return ""
}

// parts cuts text into what one block takes each.
func parts(text string, fixed bool) []notify.Section {
	sections := notify.Sections(text)
	if fixed && len(sections) > 0 {
		sections = []notify.Section{{Body: text}}
	}
	var out []notify.Section
	for _, s := range sections {
		for i, body := range notify.Split(s.Body, textLimit-headerLimit, notify.UTF16) {
			heading := s.Heading
			if i > 0 {
				heading = ""
			}
			if heading != "" || body != "" {
				out = append(out, notify.Section{Heading: heading, Body: body})
			}
		}
	}
	return out
}

func richText(heading, body string, fixed bool) slackapi.Block {
	if fixed {
		return slackapi.NewRichTextBlock("", &slackapi.RichTextPreformatted{
			Type:     slackapi.RTEPreformatted,
			Elements: []slackapi.RichTextSectionElement{slackapi.NewRichTextSectionTextElement(body, nil)},
		})
	}
	var elements []slackapi.RichTextSectionElement
	if heading != "" {
		if body != "" {
			heading += "\n"
		}
		elements = append(elements, slackapi.NewRichTextSectionTextElement(heading, &slackapi.RichTextSectionTextStyle{Bold: true}))
	}
	if body != "" {
		elements = append(elements, slackapi.NewRichTextSectionTextElement(body, nil))
	}
	return slackapi.NewRichTextBlock("", slackapi.NewRichTextSection(elements...))
}

// buttons are links to the message's page and to what can be done about it, as far
// as Slack would take their addresses: one bad button makes it refuse the whole
// message.
//
// Interactive ones of what can be done do it at once: Slack sends Press the address
// instead of opening it.
func buttons(m notify.Message, interactive bool) []slackapi.Block {
	var elements []slackapi.BlockElement
	for i, b := range m.Buttons(urlLimit) {
		words := slackapi.NewTextBlockObject(slackapi.PlainTextType, notify.Start(b.Label, buttonLimit, notify.UTF16), false, false)
		button := slackapi.NewButtonBlockElement(fmt.Sprintf("open_%d", i), "", words)
		if interactive && b.URL != m.Link && len(b.URL) <= valueLimit {
			button.ActionID, button.Value = fmt.Sprintf("%s%d", pressed, i), b.URL
		} else {
			button.URL = b.URL
		}
		elements = append(elements, button)
	}
	if len(elements) == 0 {
		return nil
	}
	return []slackapi.Block{slackapi.NewActionBlock("", elements...)}
}
