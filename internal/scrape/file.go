package scrape

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	_ "github.com/prometheus/prometheus/discovery/file" // makes file_sd_configs known
	discoveryhttp "github.com/prometheus/prometheus/discovery/http"
	"go.yaml.in/yaml/v3"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// maxBody bounds what one scrape reads, in bytes, where body_size_limit of the
// file does not: one target must not take the memory of all.
const maxBody = 64 << 20

// ignored are the parts of a Prometheus configuration that are somebody else's
// business here. They are not even read.
var ignored = []string{"runtime", "alerting", "rule_files", "storage", "tracing", "remote_write", "remote_read", "otlp"}

// file is a configuration as it was read.
type file struct {
	path    string
	hash    [sha256.Size]byte // of it and of the scrape_config_files it names
	config  *config.Config
	ignored []string // what it has of ignored
}

// Check reads a configuration as a Scraper would. An error is fault.Invalid and
// says what is wrong with it, and where.
func Check(path string) error {
	_, err := load(path)
	return err
}

// load reads a configuration. Relative paths in it begin at its directory.
func load(path string) (*file, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the scrape file cannot be read")
	}
	f := &file{path: path}
	if err := f.parse(text); err != nil {
		return nil, fault.Wrap(tidy(err), fault.Invalid, "the scrape file %s", path)
	}
	return f, nil
}

func (f *file) parse(text []byte) (err error) {
	asRead := bytes.Clone(text)
	if f.ignored, err = blank(text); err != nil {
		return err
	}
	if err := refuseOthers(text); err != nil {
		return err
	}
	if f.config, err = config.Load(string(text), slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if !f.config.GlobalConfig.ExternalLabels.IsEmpty() {
		f.ignored = append(f.ignored, "global.external_labels")
	}
	f.config.SetDirectory(filepath.Dir(f.path))
	if f.config.GlobalConfig.BodySizeLimit == 0 {
		f.config.GlobalConfig.BodySizeLimit = maxBody
	}
	for _, c := range f.config.ScrapeConfigs {
		if c.BodySizeLimit == 0 {
			c.BodySizeLimit = f.config.GlobalConfig.BodySizeLimit
		}
	}
	if f.hash, err = f.digest(asRead, refuseOthers); err != nil {
		return err
	}
	scrapes, err := f.config.GetScrapeConfigs()
	if err != nil {
		return err
	}
	for _, c := range scrapes {
		if err := usable(c); err != nil {
			return fmt.Errorf("job %s: %w", c.JobName, err)
		}
	}
	return nil
}

// changed reports whether the file, or one that scrape_config_files names, is
// another than it was read, or cannot be read any more.
func (f *file) changed() bool {
	text, err := os.ReadFile(f.path)
	if err != nil {
		return true
	}
	hash, err := f.digest(text, func([]byte) error { return nil })
	return err != nil || hash != f.hash
}

// digest tells a text and the files that scrape_config_files names from any
// others. Each of these is checked.
func (f *file) digest(text []byte, check func([]byte) error) (hash [sha256.Size]byte, err error) {
	all := sha256.New()
	all.Write(text)
	for _, pattern := range f.config.ScrapeConfigFiles {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return hash, err
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				return hash, err
			}
			if err := check(text); err != nil {
				return hash, fmt.Errorf("%s: %w", path, err)
			}
			fmt.Fprintf(all, "%s\n%d\n%s", path, len(text), text)
		}
	}
	return [sha256.Size]byte(all.Sum(nil)), nil
}

// usable finds what would be found wrong only later, and then only in a log:
// certificates and keys that cannot be read.
func usable(c *config.ScrapeConfig) error {
	clients := []promconfig.HTTPClientConfig{c.HTTPClientConfig}
	for _, d := range c.ServiceDiscoveryConfigs {
		if http, ok := d.(*discoveryhttp.SDConfig); ok {
			clients = append(clients, http.HTTPClientConfig)
		}
	}
	for _, client := range clients {
		if _, err := promconfig.NewRoundTripperFromConfig(client, c.JobName); err != nil {
			return err
		}
	}
	return nil
}

// blank overwrites the ignored parts of a configuration with spaces, so that
// the others keep their lines, and returns what it found of them. A document
// written as one {…} is left as it is, and then read as a whole.
func blank(text []byte) (found []string, err error) {
	root, err := document(text)
	if root == nil || root.Style&yaml.FlowStyle != 0 {
		return nil, err
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i := 0; i < len(root.Content); i += 2 {
		key := root.Content[i]
		if !slices.Contains(ignored, key.Value) {
			continue
		}
		found = append(found, key.Value)
		end := len(lines)
		if i+2 < len(root.Content) {
			end = root.Content[i+2].Line - 1
		}
		for _, line := range lines[key.Line-1 : end] {
			for i := range line {
				if line[i] != '\n' {
					line[i] = ' '
				}
			}
		}
	}
	return found, nil
}

// refuseOthers names the ways to find targets that are not built.
func refuseOthers(text []byte) error {
	root, err := document(text)
	if root == nil {
		return err
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "scrape_configs" {
			continue
		}
		for _, job := range root.Content[i+1].Content {
			for j := 0; j+1 < len(job.Content); j += 2 {
				key := job.Content[j]
				kind, ok := strings.CutSuffix(key.Value, "_sd_configs")
				if ok && !slices.Contains(discovery.RegisteredConfigNames(), kind) {
					return fmt.Errorf("line %d: %s is not built: use static_configs, file_sd_configs or http_sd_configs, "+
						"or let a Prometheus in agent mode find these targets and write to MATRIX", key.Line, key.Value)
				}
			}
		}
	}
	return nil
}

// document returns the mapping that a text is, nil when it is another thing:
// then Prometheus' own reader says what is wrong.
func document(text []byte) (*yaml.Node, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	if node.Kind != yaml.DocumentNode || node.Content[0].Kind != yaml.MappingNode {
		return nil, nil
	}
	return node.Content[0], nil
}

// tidy puts the lines of a decoder's error into one.
func tidy(err error) error { return errors.New(strings.Join(strings.Fields(err.Error()), " ")) }
