package app

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a container without zoneinfo still shows local times

	"go.yaml.in/yaml/v3"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/scrape"
)

// Options are the first tier of configuration: what a flag says.
type Options struct {
	DataDir    string   // holds the metadata file, the engine's data and secret keys
	Listen     string   // UI and API, host:port; port 0 picks a free one
	OTLPGRPC   string   // OTLP/gRPC, host:port
	OTLPHTTP   string   // OTLP/HTTP, host:port
	MetaDB     string   // "" = File.MetaDB, or postgres://…
	ClickHouse []string // empty = File.ClickHouse, or clickhouse:// DSNs
	// EngineMemory is the embedded engine's memory limit in bytes; 0 leaves the
	// choice to the engine package.
	EngineMemory int64
	// Dev accepts telemetry without a key from loopback and lets notifications and
	// model providers of organisations go to loopback addresses. Never for a reachable listener.
	Dev bool
	// Version is the build's version, shown to users and sent as the service version.
	Version string
	File    File
	// Console is where the console channel writes; default standard output.
	Console io.Writer
	// EngineCommand starts this program's engine subcommand; default: this
	// executable's. Tests, which are another executable, say theirs.
	EngineCommand []string
}

func (o Options) consoleWriter() io.Writer {
	if o.Console != nil {
		return o.Console
	}
	return os.Stdout
}

// File is the second tier: the YAML file with addresses, secrets and limits.
// What people edit on a screen (roles, rules, channels) lives in the metadata
// database and is not here.
type File struct {
	// BaseURL is how people reach the UI, for links in messages; default http://<listen>.
	BaseURL string `yaml:"base_url"`
	// OTLPURL and OTLPGRPCURL are how senders reach the receivers, for the set-up
	// lines; default http://<otlp-http> and http://<otlp-grpc>.
	OTLPURL     string `yaml:"otlp_url"`
	OTLPGRPCURL string `yaml:"otlp_grpc_url"`
	// MetaDB and ClickHouse are the DSNs that --metadb and --clickhouse would show
	// to everyone who lists processes. Default SQLite in DataDir and the embedded engine.
	MetaDB     string   `yaml:"metadb"`
	ClickHouse []string `yaml:"clickhouse"`
	// TimeZone is an IANA name for times in messages; default is the machine's.
	TimeZone string `yaml:"time_zone"`
	// SecretsKey is the file with the keys that seal stored secrets; default
	// secrets.key in the data directory. Nodes on one metadata database share it.
	SecretsKey string `yaml:"secrets_key"`
	// TrustedProxies are the networks (CIDR) whose X-Forwarded-For is believed.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// AuditDays is for how many days the audit log is kept; default 1095.
	AuditDays int        `yaml:"audit_days"`
	AI        FileAI     `yaml:"ai"`
	Ingest    FileIngest `yaml:"ingest"`
	Notify    FileNotify `yaml:"notify"`
	Rules     FileRules  `yaml:"rules"`
	Login     FileLogin  `yaml:"login"`
	// Scrape is whose metrics this node fetches, a file for each project.
	Scrape []FileScrape `yaml:"scrape"`
}

// FileAI names the model providers and the chain a new role begins with.
type FileAI struct {
	Providers    map[string]FileProvider `yaml:"providers"`
	DefaultChain []string                `yaml:"default_chain"` // "provider/model"
	// KeepTexts is what the log keeps of the texts of calls whose role does not
	// say: masked (default), none or originals.
	KeepTexts string `yaml:"keep_texts"`
	// AllowNetworks are the private networks (CIDR) that providers of organisations
	// may be in; those of the installation may be anywhere.
	AllowNetworks []string `yaml:"allow_networks"`
	// Telemetry is whether spans and metrics of calls are stored in the project
	// they were made for; default true.
	Telemetry *bool `yaml:"telemetry"`
	// Search is the Elasticsearch or OpenSearch that records of calls are shipped
	// to; without URLs there is none.
	Search FileSearch `yaml:"search"`
}

// FileSearch is a search engine. A user and a password, or an API key.
type FileSearch struct {
	URLs      []string `yaml:"urls"`
	User      string   `yaml:"user"`
	Password  string   `yaml:"password"`
	APIKey    string   `yaml:"api_key"`
	CAFile    string   `yaml:"ca_file"`   // PEM; "" trusts what the machine trusts
	Index     string   `yaml:"index"`     // prefix of the data streams; default matrix-ai
	Lifecycle string   `yaml:"lifecycle"` // ILM policy of new indices, of Elasticsearch only
}

// FileProvider is one model endpoint.
type FileProvider struct {
	// Kind is openai (also for everything else that speaks chat completions),
	// openai-responses, anthropic or gemini.
	Kind    string `yaml:"kind"`
	BaseURL string `yaml:"base_url"` // "" = the provider's own
	APIKey  string `yaml:"api_key"`
	// APIKeys are several keys by an alias that logs show: they take turns, and
	// stand in for each other.
	APIKeys map[string]string `yaml:"api_keys"`
	// InHouse is a service that may know everything: nothing is masked for it.
	InHouse bool `yaml:"in_house"`
}

// FileIngest limits the receivers.
type FileIngest struct {
	MaxBodyMiB int `yaml:"max_body_mib"` // per request, before and after decompression; default 16
	// MaxActiveSeries and MaxNewSeriesPerDay bound the metrics of each project on
	// this node; default 200,000 and 1,000,000.
	MaxActiveSeries    int `yaml:"max_active_series"`
	MaxNewSeriesPerDay int `yaml:"max_new_series_per_day"`
}

// FileLogin widens where providers of OpenID Connect may be.
type FileLogin struct {
	AllowNetworks []string `yaml:"allow_networks"` // CIDRs of providers in the house
}

// FileScrape is one project's targets. Why it is named by a key: scrape.Entry.
type FileScrape struct {
	Key  string `yaml:"key"`  // a project key, as a sender has it; with --dev it may be left out
	File string `yaml:"file"` // a prometheus.yml
}

// FileNotify widens where notifications may go.
type FileNotify struct {
	AllowNetworks []string `yaml:"allow_networks"` // CIDRs of private receivers
}

// FileRules says how soon alarms come.
type FileRules struct {
	EvaluateEvery time.Duration `yaml:"evaluate_every"` // how often rules look at what arrived, 1s to 1m; 0 is 10s
}

// LoadFile reads the YAML file at path. ${NAME} in a value is replaced by that
// environment variable. Unknown keys and unset variables are errors that name
// the line. An empty path is an empty file.
func LoadFile(path string, getenv func(string) (string, bool)) (File, error) {
	var file File
	if path == "" {
		return file, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return file, fault.Wrap(err, fault.Invalid, "config file %s cannot be read", path)
	}
	// yaml checks unknown keys only while decoding text, and expansion must
	// happen after parsing, so that a value can never become syntax: two passes,
	// the first for the keys and the second for the values.
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := unknownKeys(strict.Decode(&File{})); err != nil {
		return file, fault.Wrap(err, fault.Invalid, "config file %s", path)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return file, fault.Wrap(err, fault.Invalid, "config file %s", path)
	}
	if root.Kind == 0 {
		return file, nil
	}
	if err := expand(&root, getenv); err != nil {
		return file, fault.Wrap(err, fault.Invalid, "config file %s", path)
	}
	if err := root.Decode(&file); err != nil {
		return file, fault.Wrap(err, fault.Invalid, "config file %s", path)
	}
	return file, nil
}

// unknownKeys leaves of a decoder's error what does not depend on values: a
// ${NAME} where a number belongs is none until it is expanded.
func unknownKeys(err error) error {
	var mismatch *yaml.TypeError
	if errors.Is(err, io.EOF) {
		return nil
	}
	if !errors.As(err, &mismatch) {
		return err
	}
	mismatch.Errors = slices.DeleteFunc(mismatch.Errors, func(text string) bool { return strings.Contains(text, "cannot unmarshal") })
	if len(mismatch.Errors) == 0 {
		return nil
	}
	return mismatch
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

func expand(node *yaml.Node, getenv func(string) (string, bool)) error {
	if node.Kind == yaml.ScalarNode {
		var missing error
		was := node.Value
		node.Value = variable.ReplaceAllStringFunc(node.Value, func(match string) string {
			name := match[2 : len(match)-1]
			value, ok := getenv(name)
			if !ok && missing == nil {
				missing = fmt.Errorf("line %d: environment variable %s is not set", node.Line, name)
			}
			return value
		})
		// A number is one only where it stands alone and unquoted, as in the file.
		if _, err := strconv.ParseFloat(node.Value, 64); err == nil && node.Value != was && node.Style == 0 {
			node.Tag = ""
		}
		return missing
	}
	for _, child := range node.Content {
		if err := expand(child, getenv); err != nil {
			return err
		}
	}
	return nil
}

// WithEnvironment fills in what the well-known variables of the model world
// say, when the file names no provider: OPENAI_API_KEY, OPENAI_BASE_URL and
// OPENAI_MODEL, ANTHROPIC_API_KEY and ANTHROPIC_MODEL, GEMINI_API_KEY and
// GEMINI_MODEL. Those that are there are asked in this order.
func (f File) WithEnvironment(getenv func(string) (string, bool)) File {
	if len(f.AI.Providers) > 0 {
		return f
	}
	for _, known := range []struct{ kind, model string }{{"openai", "gpt-5-mini"}, {"anthropic", "claude-sonnet-4-5"}, {"gemini", "gemini-2.5-flash"}} {
		name := strings.ToUpper(known.kind)
		key, hasKey := getenv(name + "_API_KEY")
		base, hasBase := getenv(name + "_BASE_URL")
		if !hasKey && !hasBase {
			continue
		}
		if f.AI.Providers == nil {
			f.AI.Providers = map[string]FileProvider{}
		}
		model, _ := getenv(name + "_MODEL")
		f.AI.Providers[known.kind] = FileProvider{Kind: known.kind, BaseURL: base, APIKey: key}
		f.AI.DefaultChain = append(f.AI.DefaultChain, known.kind+"/"+cmp.Or(model, known.model))
	}
	return f
}

// Check validates everything that can be known without starting: it names the
// option or key at fault and what to write instead.
func (o Options) Check() error {
	for name, address := range map[string]string{"--listen": o.Listen, "--otlp-grpc": o.OTLPGRPC, "--otlp-http": o.OTLPHTTP} {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return fault.New(fault.Invalid, "%s %q is not an address: write host:port, as in 127.0.0.1:8080", name, address).WithField(name)
		}
	}
	if o.DataDir == "" {
		return fault.New(fault.Invalid, "--data must name a directory").WithField("--data")
	}
	if err := o.checkStores(); err != nil {
		return err
	}
	if o.Dev {
		for _, address := range []string{o.OTLPGRPC, o.OTLPHTTP} {
			if !loopback(address) {
				return fault.New(fault.Invalid, "--dev takes telemetry without a key and so listens on loopback only, not on %s", address).WithField("--dev")
			}
		}
	}
	if err := o.File.check(); err != nil {
		return err
	}
	return o.checkScrape()
}

// checkScrape reads the files that say what is scraped. Whether a key is good
// is found out later: its project may revoke it, and nodes must start all the same.
func (o Options) checkScrape() error {
	keys := map[string]bool{}
	for i, entry := range o.File.Scrape {
		field := fmt.Sprintf("scrape[%d]", i)
		switch {
		case entry.File == "":
			return fault.New(fault.Invalid, "%s.file must name a prometheus.yml", field).WithField(field)
		case entry.Key == "" && !o.Dev:
			return fault.New(fault.Invalid, "%s.key must be a key of the project that the metrics are for: make one under Settings, Project keys", field).WithField(field)
		case keys[entry.Key]:
			return fault.New(fault.Invalid, "%s.key is that of an entry before it: name this file in scrape_config_files of that one", field).WithField(field)
		}
		keys[entry.Key] = true
		if err := scrape.Check(entry.File); err != nil {
			return fmt.Errorf("%s.file: %w", field, err)
		}
	}
	return nil
}

// checkStores validates the DSNs, which a message must not repeat.
func (o Options) checkStores() error {
	switch {
	case o.MetaDB != "" && o.File.MetaDB != "":
		return fault.New(fault.Invalid, "--metadb and metadb in the file are the same: give one of them").WithField("--metadb")
	case len(o.ClickHouse) > 0 && len(o.File.ClickHouse) > 0:
		return fault.New(fault.Invalid, "--clickhouse and clickhouse in the file are the same: give one of them").WithField("--clickhouse")
	}
	begins := func(dsn string, prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(dsn, prefix) })
	}
	if meta := cmp.Or(o.MetaDB, o.File.MetaDB); meta != "" && !begins(meta, "postgres://", "postgresql://", "sqlite:") {
		return fault.New(fault.Invalid, "metadb must begin with postgres:// or sqlite:").WithField("metadb")
	}
	for _, dsn := range o.clickHouse() {
		if !begins(dsn, "clickhouse://") {
			return fault.New(fault.Invalid, "clickhouse must be clickhouse://user:password@host:9000/database").WithField("clickhouse")
		}
	}
	return nil
}

// clickHouse returns the DSNs of the ClickHouse servers, none for the embedded engine.
func (o Options) clickHouse() []string {
	if len(o.ClickHouse) > 0 {
		return o.ClickHouse
	}
	return o.File.ClickHouse
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

func (f File) check() error {
	for key, address := range map[string]string{"base_url": f.BaseURL, "otlp_url": f.OTLPURL, "otlp_grpc_url": f.OTLPGRPCURL} {
		u, err := url.Parse(address)
		if address != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
			return fault.New(fault.Invalid, "%s %q is not an http(s) URL", key, address).WithField(key)
		}
	}
	if _, err := time.LoadLocation(f.TimeZone); err != nil {
		return fault.New(fault.Invalid, "time_zone %q is not an IANA name such as Asia/Seoul", f.TimeZone).WithField("time_zone")
	}
	for name, p := range f.AI.Providers {
		if providerKinds[p.Kind] == nil {
			return fault.New(fault.Unsupported, "ai.providers.%s.kind %q is not known: it is one of %s; openai is also for Azure, vLLM, Ollama and others", name, p.Kind,
				strings.Join(slices.Sorted(maps.Keys(providerKinds)), ", ")).WithField("ai.providers")
		}
		if strings.Contains(name, "/") {
			return fault.New(fault.Invalid, "ai.providers: the name %q must not contain a slash", name).WithField("ai.providers")
		}
	}
	if _, err := f.AI.chain(); err != nil {
		return err
	}
	if err := f.AI.Search.check(); err != nil {
		return err
	}
	if every := f.Rules.EvaluateEvery; every != 0 && (every < time.Second || every > time.Minute) {
		return fault.New(fault.Invalid, "rules.evaluate_every is %s: give 1s to 1m", every)
	}
	if _, err := networks("notify.allow_networks", f.Notify.AllowNetworks); err != nil {
		return err
	}
	if _, err := networks("login.allow_networks", f.Login.AllowNetworks); err != nil {
		return err
	}
	if _, err := networks("ai.allow_networks", f.AI.AllowNetworks); err != nil {
		return err
	}
	if _, err := networks("trusted_proxies", f.TrustedProxies); err != nil {
		return err
	}
	if f.Ingest.MaxBodyMiB < 0 || f.Ingest.MaxBodyMiB > 1024 {
		return fault.New(fault.Invalid, "ingest.max_body_mib must be between 1 and 1024").WithField("ingest.max_body_mib")
	}
	for name, n := range map[string]int{"ingest.max_active_series": f.Ingest.MaxActiveSeries, "ingest.max_new_series_per_day": f.Ingest.MaxNewSeriesPerDay} {
		if n < 0 {
			return fault.New(fault.Invalid, "%s must not be below 0", name).WithField(name)
		}
	}
	return nil
}

// chain parses DefaultChain.
func (f FileAI) chain() ([]ai.Entry, error) {
	entries := make([]ai.Entry, 0, len(f.DefaultChain))
	for _, text := range f.DefaultChain {
		provider, model, ok := strings.Cut(text, "/")
		if _, known := f.Providers[provider]; !ok || model == "" || !known {
			return nil, fault.New(fault.Invalid, "ai.default_chain: %q must be provider/model with a provider of ai.providers", text).WithField("ai.default_chain")
		}
		entries = append(entries, ai.Entry{Provider: provider, Model: model})
	}
	return entries, nil
}

// networks parses the CIDRs of a key.
func networks(key string, texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s: %q is not a network such as 10.1.0.0/16", key, text).WithField(key)
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}

// MetaDSN returns the metadata database's address with the default filled in.
func (o Options) MetaDSN() string {
	return cmp.Or(o.MetaDB, o.File.MetaDB, "sqlite:"+filepath.Join(o.DataDir, "matrix.db"))
}

// Location returns the time zone for times in messages.
func (f File) Location() *time.Location {
	if f.TimeZone == "" {
		return time.Local
	}
	location, err := time.LoadLocation(f.TimeZone)
	if err != nil {
		return time.UTC // Check has refused it before
	}
	return location
}
