// Package alimtalk sends KakaoTalk Alimtalk messages through a dealer, NHN
// Cloud's KakaoTalk Bizmessage. An Alimtalk is a template that Kakao approved
// before, with variables; the report itself is behind its link.
//
// The dealer refuses a key it has seen within ten minutes, so a message that is
// sent again at once arrives once.
package alimtalk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

// Kakao takes 1,000 characters of a filled template. Its fixed words are not
// known here, so that what is filled in stays well below.
const (
	maxSubject    = 120
	maxSummary    = 500
	maxLink       = 300
	maxWord       = 60
	maxRecipients = 20
)

// Options are the dependencies of a Channel. Client is required.
type Options struct {
	Client *http.Client // from notify.NewClient
	// APIURL is where the dealer is; default NHN Cloud.
	APIURL string
}

// Channel sends through a dealer.
type Channel struct{ opts Options }

// New returns an Alimtalk channel.
func New(opts Options) *Channel {
	if opts.APIURL == "" {
		opts.APIURL = "https://kakaotalk-bizmessage.api.nhncloudservice.com"
	}
	return &Channel{opts}
}

type config struct {
	AppKey     string `json:"app_key"`
	SecretKey  string `json:"secret_key"`
	SenderKey  string `json:"sender_key"`
	Template   string `json:"template_code"`
	Recipients string `json:"recipients"` // numbers, with commas between
	Variables  string `json:"variables"`  // a line for each: 제목={subject}
}

// Digest says that people read it.
func (c *Channel) Digest() {}

// CheckAddress wants one phone number.
func (c *Channel) CheckAddress(address string) error {
	if !numberForm.MatchString(bare.Replace(address)) {
		return fault.New(fault.Invalid, "the address must be a mobile phone number")
	}
	return nil
}

// To sends to one number.
func (c *Channel) To(raw json.RawMessage, address, _ string) (json.RawMessage, error) {
	f, err := c.read(raw)
	if err != nil {
		return nil, err
	}
	f.Recipients = address
	return json.Marshal(f.config)
}

// bare leaves the digits of a number as people write it.
var bare = strings.NewReplacer(" ", "", "-", "", "+", "")

// Kind is "alimtalk".
func (c *Channel) Kind() string { return "alimtalk" }

// Secrets are the keys at the dealer.
func (c *Channel) Secrets() []string { return []string{"secret_key", "sender_key"} }

// Check wants the keys of a dealer's project, the code of an approved template,
// numbers and how the template's variables are filled.
func (c *Channel) Check(raw json.RawMessage) error {
	_, err := c.read(raw)
	return err
}

var (
	appKeyForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)
	senderKeyForm = regexp.MustCompile(`^[A-Za-z0-9]{40}$`)
	templateForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,20}$`)
	numberForm    = regexp.MustCompile(`^[0-9]{8,15}$`)
	placeholder   = regexp.MustCompile(`\{[a-z]+\}`)
)

// filled is a config whose lists are read.
type filled struct {
	config
	numbers   []string
	variables map[string]string
}

func (c *Channel) read(raw json.RawMessage) (filled, error) {
	var f filled
	if err := notify.ReadConfig(raw, &f.config,
		`{"app_key": …, "secret_key": …, "sender_key": …, "template_code": …, "recipients": …, "variables": …}`); err != nil {
		return f, err
	}
	switch {
	case !appKeyForm.MatchString(f.AppKey):
		return f, fault.New(fault.Invalid, "app_key must be that of the dealer's project").WithField("config.app_key")
	case len(f.SecretKey) < 8 || strings.ContainsFunc(f.SecretKey, func(r rune) bool { return r <= ' ' || r > '~' }):
		return f, fault.New(fault.Invalid, "secret_key must be that of the dealer's project").WithField("config.secret_key")
	case !senderKeyForm.MatchString(f.SenderKey):
		return f, fault.New(fault.Invalid, "sender_key must have 40 letters and digits").WithField("config.sender_key")
	case !templateForm.MatchString(f.Template):
		return f, fault.New(fault.Invalid, "template_code must be that of an approved template, at most 20 characters").WithField("config.template_code")
	}
	for number := range strings.SplitSeq(f.Recipients, ",") {
		number = bare.Replace(number)
		if !numberForm.MatchString(number) {
			return f, fault.New(fault.Invalid, "recipients must be phone numbers with commas between").WithField("config.recipients")
		}
		f.numbers = append(f.numbers, number)
	}
	if len(f.numbers) > maxRecipients {
		return f, fault.New(fault.Invalid, "recipients must be at most %d numbers", maxRecipients).WithField("config.recipients")
	}
	return f, f.readVariables()
}

// readVariables reads how the template is filled.
func (f *filled) readVariables() error {
	f.variables = map[string]string{}
	known := values(notify.Message{})
	for line := range strings.Lines(f.Variables) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(name), "#{"), "}")
		if !ok || name == "" {
			return fault.New(fault.Invalid, "variables must be lines like 제목={subject}").WithField("config.variables")
		}
		for _, p := range placeholder.FindAllString(value, -1) {
			if _, ok := known[p]; !ok {
				return fault.New(fault.Invalid, "variables has %s, which is not one of {subject} {summary} {link} {path} {service} {environment} {severity} {state}", p).
					WithField("config.variables")
			}
		}
		f.variables[name] = strings.TrimSpace(value)
	}
	if len(f.variables) == 0 {
		return fault.New(fault.Invalid, "variables must say how the template is filled, like 제목={subject}").WithField("config.variables")
	}
	return nil
}

// values is what a template's variables can be filled with.
func values(m notify.Message) map[string]string {
	link := m.Address(maxLink)
	_, path, _ := strings.Cut(link, "://") // buttons of templates begin with https:// themselves
	summary := m
	if sections := notify.Sections(m.Text); len(sections) > 0 && !m.Fixed {
		summary.Text = sections[0].Body
	}
	word := func(s string) string { return notify.Start(s, maxWord, notify.Characters) }
	return map[string]string{
		"{subject}": m.Title(maxSubject, notify.Characters), "{summary}": summary.Shorter(maxSummary, notify.Characters),
		"{link}": link, "{path}": path, "{service}": word(m.Service), "{environment}": word(m.Environment),
		"{severity}": m.Severity, "{state}": m.State,
	}
}

func fill(variables map[string]string, m notify.Message) map[string]string {
	known := values(m)
	out := map[string]string{}
	for name, value := range variables {
		value = placeholder.ReplaceAllStringFunc(value, func(p string) string { return known[p] })
		if value == "" {
			value = "-" // the dealer refuses an empty one
		}
		out[name] = value
	}
	return out
}

// Preview implements notify.Previewer: the values that fill the template.
func (c *Channel) Preview(raw json.RawMessage, m notify.Message) (string, error) {
	var cfg filled
	if err := notify.ReadConfig(raw, &cfg.config, `{"variables": …}`); err != nil {
		return "", err
	}
	if err := cfg.readVariables(); err != nil {
		return "", err
	}
	filled := fill(cfg.variables, m)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(filled)) {
		fmt.Fprintf(&b, "#{%s}: %s\n", name, filled[name])
	}
	return b.String(), nil
}

// The codes of docs.nhncloud.com/…/error-code that are not final.
const (
	codeRepeated  = -1005 // the same key within ten minutes: it got through before
	codeDailyFull = -1017 // the day's volume is used up
)

type result struct {
	Code int `json:"resultCode"`
}

// Send sends m to every number in one request.
func (c *Channel) Send(ctx context.Context, raw json.RawMessage, m notify.Message) error {
	cfg, err := c.read(raw)
	if err != nil {
		return err
	}
	parameters := fill(cfg.variables, m)
	var to []map[string]any
	for _, number := range cfg.numbers {
		to = append(to, map[string]any{"recipientNo": number, "templateParameter": parameters})
	}
	sum := sha256.Sum256([]byte(m.Key))
	answer, err := notify.Post(ctx, c.opts.Client, c.opts.APIURL+"/alimtalk/v2.3/appkeys/"+cfg.AppKey+"/messages",
		http.Header{"X-Secret-Key": {cfg.SecretKey}, "X-Nc-Api-Idempotency-Key": {hex.EncodeToString(sum[:16])}},
		map[string]any{"senderKey": cfg.SenderKey, "templateCode": cfg.Template, "recipientList": to})
	if err != nil {
		return err
	}
	if err := notify.StatusFault(answer.Status, answer.Header); err != nil {
		return err
	}
	var said struct {
		Header struct {
			result
			Successful bool `json:"isSuccessful"`
		} `json:"header"`
		Message struct {
			Results []result `json:"sendResults"`
		} `json:"message"`
	}
	if err := json.Unmarshal(answer.Body, &said); err != nil {
		return fault.New(fault.Unavailable, "the answer is not the dealer's")
	}
	switch code := said.Header.Code; {
	case code == codeRepeated:
		return nil
	case code == codeDailyFull:
		return fault.New(fault.RateLimited, "the day's volume at the dealer is used up (%d)", code).WithRetryAfter(time.Hour)
	case !said.Header.Successful:
		return fault.New(fault.Invalid, "the dealer answered %d%s", code, meaning(code))
	}
	var failed []int
	for _, r := range said.Message.Results {
		if r.Code != 0 {
			failed = append(failed, r.Code)
		}
	}
	if len(failed) > 0 { // sent again, it would reach the others twice
		return fault.New(fault.Invalid, "the dealer took it for %d of %d numbers (%d)", len(cfg.numbers)-len(failed), len(cfg.numbers), failed[0])
	}
	return nil
}

// meaning explains the codes people meet when they set a channel up.
func meaning(code int) string {
	why := map[int]string{-1000: "the app key is wrong", -1001: "the secret key is wrong", -1027: "the sender is blocked",
		-1028: "a new sender's variables are limited to 14 characters", -2000: "a field is too long", -2001: "a field is empty",
		-2017: "the sender is not known", 4: "a field is not valid"}[code]
	if why == "" {
		return ""
	}
	return fmt.Sprintf(": %s", why)
}
