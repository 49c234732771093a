package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

type configCommand struct {
	Check configCheckCommand `cmd:"" help:"Read the file as serve would and say what is wrong, with the line."`
}

// Help implements kong.HelpProvider: `matrix config --help` names every key.
func (configCommand) Help() string {
	return `The keys of the file that --config names, none of which is required:

base_url               where people reach the UI: https://matrix.example.com
otlp_url               where senders reach OTLP/HTTP, for the set-up lines
otlp_grpc_url          the same for OTLP/gRPC
metadb                 metadata database, as --metadb
clickhouse             list of ClickHouse servers, as --clickhouse
time_zone              IANA name for times in messages: Asia/Seoul
secrets_key            file with the key that encrypts channel secrets
trusted_proxies        networks whose X-Forwarded-For is believed
audit_days             for how many days the audit log is kept: 1095
ai.providers           name: {kind: openai, base_url: …, api_key: …}
                       in_house: true masks nothing for it
ai.default_chain       list of provider/model
ai.keep_texts          masked, none or originals: what the log keeps of
                       the texts of calls, where a role does not say
ai.allow_networks      private networks that model providers of organisations
                       may be in; public addresses they may use anyway
ai.telemetry           false keeps calls out of their project's traces and metrics
ai.search.urls         nodes of the Elasticsearch or OpenSearch that gets the
                       records of AI calls
ai.search.user         with
ai.search.password     or, instead of both,
ai.search.api_key      as Elasticsearch shows it encoded
ai.search.ca_file      certificates (PEM) that its nodes are checked by
ai.search.index        prefix of the data streams: matrix-ai
ai.search.lifecycle    ILM policy of new indices, of Elasticsearch only
ingest.max_body_mib    largest telemetry request
ingest.max_active_series  series of metrics of a project with a sample
                       within the hour, on each node
ingest.max_new_series_per_day  new ones of them a day
notify.allow_networks  private networks that notifications may go to
rules.evaluate_every   how often rules look at what has arrived (default 10s)
login.allow_networks   private networks that OpenID providers may be in
scrape                 list of {key: …, file: …}: a project key, and the
                       prometheus.yml that says what is scraped for it

${NAME} in a value is that environment variable: keep secrets there.`
}

type configCheckCommand struct {
	storeFlags
	nodeFlags
}

// Run checks the flags and the file without starting anything.
func (c *configCheckCommand) Run() error {
	if _, err := c.options(c.storeFlags, false); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "the configuration is good")
	return nil
}

// byteSize is a number of bytes written as 512MiB, 4GiB or plain bytes.
type byteSize int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *byteSize) UnmarshalText(text []byte) error {
	number, unit := string(text), int64(1)
	for suffix, size := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if trimmed, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = trimmed, size
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n <= 0 || n > (1<<62)/unit {
		return fault.New(fault.Invalid, "%q is not a size: write 512MiB or 4GiB", text)
	}
	*b = byteSize(n * unit)
	return nil
}
