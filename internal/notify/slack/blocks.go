package slack

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf16"

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
	partLimit   = 16 // ours, far below Slack's 50 blocks: beyond that the page is the place to read
)

// cut marks text that was shortened.
const cut = "…"

// blocks lays m out: a header, the text, a button. The text goes into
// rich_text blocks, whose elements Slack shows as they are: in mrkdwn,
// `COUNT(*)` twice on a line turns bold and loses its asterisks, and
// `<!channel>` inside an exception message would wake everybody.
func blocks(m notify.Message) []slackapi.Block {
	out := []slackapi.Block{slackapi.NewHeaderBlock(plain(m.Subject, headerLimit))}
	parts := sections(m.Text)
	if m.Fixed && len(parts) > 0 {
		parts = []section{{body: m.Text}}
	}
	for _, part := range parts {
		for i, body := range split(part.body, textLimit-headerLimit) {
			if len(out) > partLimit {
				out = append(out, richText("", cut, false))
				return append(out, link(m)...)
			}
			heading := part.heading
			if i > 0 {
				heading = ""
			}
			out = append(out, richText(heading, body, m.Fixed))
		}
	}
	return append(out, link(m)...)
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

// link is a button to the message's page, if Slack would take its address:
// one bad button makes it refuse the whole message.
func link(m notify.Message) []slackapi.Block {
	u, err := url.Parse(m.Link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(m.Link) > urlLimit {
		return nil
	}
	words := m.LinkText
	if words == "" {
		words = "MATRIX"
	}
	button := slackapi.NewButtonBlockElement("open", "", plain(words, buttonLimit))
	button.URL = m.Link
	return []slackapi.Block{slackapi.NewActionBlock("", button)}
}

func plain(text string, limit int) *slackapi.TextBlockObject {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		text = "MATRIX"
	}
	return slackapi.NewTextBlockObject(slackapi.PlainTextType, shorten(text, limit), false, false)
}

type section struct{ heading, body string }

// headingLine is a line that is a heading of a report: "[요약]".
var headingLine = regexp.MustCompile(`^\[[^\[\]]{1,60}\]$`)

// sections cuts text at its headings. Text before the first has none.
func sections(text string) []section {
	var out []section
	var current section
	flush := func() {
		current.body = strings.Trim(current.body, "\n")
		if current != (section{}) {
			out = append(out, current)
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if headingLine.MatchString(line) {
			flush()
			current = section{heading: line}
			continue
		}
		current.body += line + "\n"
	}
	flush()
	return out
}

// split cuts text into pieces of at most limit UTF-16 units, at a line end
// when the line fits. It returns one piece for an empty text.
func split(text string, limit int) []string {
	var out []string
	for units(text) > limit {
		at := len(prefix(text, limit))
		if line := strings.LastIndexByte(text[:at], '\n'); line > 0 {
			at = line
		}
		out = append(out, text[:at])
		text = strings.TrimPrefix(text[at:], "\n")
	}
	return append(out, text)
}

func shorten(text string, limit int) string {
	if units(text) <= limit {
		return text
	}
	return prefix(text, limit-units(cut)) + cut
}

// prefix returns the longest start of text of at most limit UTF-16 units.
func prefix(text string, limit int) string {
	n := 0
	for i, r := range text {
		if n += max(1, utf16.RuneLen(r)); n > limit {
			return text[:i]
		}
	}
	return text
}

func units(text string) int {
	n := 0
	for _, r := range text {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}
