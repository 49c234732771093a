package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf16"
)

// decodeWebhook reads the body of an incoming webhook; fields Slack does not
// know are an error here, since there they are a typing mistake nobody sees.
func decodeWebhook(contentType string, body []byte) (Message, error) {
	if kind, _, _ := mime.ParseMediaType(contentType); kind != "application/json" {
		return Message{}, fmt.Errorf("content type %q", contentType)
	}
	var payload struct {
		Text            string          `json:"text"`
		Blocks          json.RawMessage `json:"blocks"`
		UnfurlLinks     *bool           `json:"unfurl_links"`
		UnfurlMedia     *bool           `json:"unfurl_media"`
		ReplaceOriginal bool            `json:"replace_original"`
		DeleteOriginal  bool            `json:"delete_original"`
	}
	if err := strict(body, &payload); err != nil {
		return Message{}, err
	}
	return decodeBlocks(payload.Text, payload.Blocks)
}

type block struct {
	Type     string          `json:"type"`
	BlockID  string          `json:"block_id"`
	Text     *textObject     `json:"text"`
	Elements json.RawMessage `json:"elements"`
}

type textObject struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Emoji    *bool  `json:"emoji"`
	Verbatim bool   `json:"verbatim"`
}

// decodeBlocks checks text and blocks against Slack's documented limits.
func decodeBlocks(text string, raw []byte) (Message, error) {
	var m Message
	if units(text) > 40_000 {
		return m, fmt.Errorf("text is too long")
	}
	if len(raw) == 0 {
		if text == "" {
			return m, fmt.Errorf("no text")
		}
		m.Text = m.markup(text)
		return m, nil
	}
	m.markup(text) // the fallback wakes people too
	var blocks []block
	if err := strict(raw, &blocks); err != nil {
		return m, err
	}
	if len(blocks) == 0 || len(blocks) > 50 {
		return m, fmt.Errorf("%d blocks", len(blocks))
	}
	var body []string
	for i, b := range blocks {
		words, err := m.read(b)
		if err != nil {
			return m, fmt.Errorf("block %d (%s): %w", i, b.Type, err)
		}
		if words != "" {
			body = append(body, words)
		}
	}
	m.Text = strings.Join(body, "\n")
	return m, nil
}

// read checks one block and returns its words.
func (m *Message) read(b block) (string, error) {
	switch b.Type {
	case "header":
		if err := b.Text.check(150, "plain_text"); err != nil {
			return "", err
		}
		m.Header = b.Text.Text
		return "", nil
	case "section":
		if err := b.Text.check(3000, "plain_text", "mrkdwn"); err != nil {
			return "", err
		}
		if b.Text.Type == "mrkdwn" {
			return m.markup(b.Text.Text), nil
		}
		return b.Text.Text, nil
	case "divider":
		return "", nil
	case "rich_text":
		return readRichText(b.Elements)
	case "actions":
		return "", m.readActions(b.Elements)
	}
	return "", fmt.Errorf("unknown type")
}

func (t *textObject) check(limit int, types ...string) error {
	if t == nil || t.Text == "" {
		return fmt.Errorf("no text")
	}
	if n := units(t.Text); n > limit {
		return fmt.Errorf("%d characters, limit %d", n, limit)
	}
	for _, allowed := range types {
		if t.Type == allowed {
			return nil
		}
	}
	return fmt.Errorf("text type %q", t.Type)
}

// readRichText accepts sections and preformatted elements of literal text.
func readRichText(raw json.RawMessage) (string, error) {
	var parts []struct {
		Type     string `json:"type"`
		Border   int    `json:"border"`
		Elements []struct {
			Type  string          `json:"type"`
			Text  string          `json:"text"`
			Style map[string]bool `json:"style"`
		} `json:"elements"`
	}
	if err := strict(raw, &parts); err != nil {
		return "", err
	}
	var text strings.Builder
	for _, part := range parts {
		if part.Type != "rich_text_section" && part.Type != "rich_text_preformatted" {
			return "", fmt.Errorf("element %q", part.Type)
		}
		if len(part.Elements) == 0 {
			return "", fmt.Errorf("empty %s", part.Type)
		}
		for _, e := range part.Elements {
			if e.Type != "text" || e.Text == "" {
				return "", fmt.Errorf("element %q with text %q", e.Type, e.Text)
			}
			text.WriteString(e.Text)
		}
	}
	if n := units(text.String()); n == 0 || n > 3000 {
		return "", fmt.Errorf("%d characters of rich text", n)
	}
	return text.String(), nil
}

func (m *Message) readActions(raw json.RawMessage) error {
	var elements []struct {
		Type     string      `json:"type"`
		ActionID string      `json:"action_id"`
		Text     *textObject `json:"text"`
		URL      string      `json:"url"`
		Value    string      `json:"value"`
	}
	if err := strict(raw, &elements); err != nil {
		return err
	}
	if len(elements) == 0 || len(elements) > 25 {
		return fmt.Errorf("%d elements", len(elements))
	}
	for _, e := range elements {
		if e.Type != "button" {
			return fmt.Errorf("element %q", e.Type)
		}
		if err := e.Text.check(75, "plain_text"); err != nil {
			return err
		}
		to, err := url.Parse(e.URL)
		switch {
		case e.URL == "" && e.Value != "" && len(e.Value) <= 2000: // it is told to the app
			continue
		case err != nil || to.Host == "" || len(e.URL) > 3000:
			return fmt.Errorf("button address %q", e.URL)
		}
		m.Buttons = append(m.Buttons, Button{Text: e.Text.Text, URL: e.URL})
	}
	return nil
}

// mention is what Slack turns into a notification inside markup.
var mention = regexp.MustCompile(`<([!@][^>]*)>`)

// markup notes the mentions in text and returns it as people see it.
func (m *Message) markup(text string) string {
	for _, found := range mention.FindAllStringSubmatch(text, -1) {
		m.Mentions = append(m.Mentions, found[1])
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

// strict decodes JSON that has no fields but those of into.
func strict(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

func units(text string) int { return len(utf16.Encode([]rune(text))) }
