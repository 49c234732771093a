package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A recording is a directory as IntelligentDDS/Nezha publishes them: rca_data/<day>
// with the minutes around injected faults and construct_data/<day> with minutes in
// which none was, each with a file for a minute of spans and of log records, a file
// of metrics for each pod, and in rca_data the list of the faults.
type recording struct {
	faults    []fault
	reference []minute // without a fault
	around    []minute // faults
	metrics   []string // files
	regions   map[string]map[string]string
}

// fault is one that was injected. Nothing of it but the time is known to what is judged.
type fault struct {
	at   time.Time
	pod  string
	kind string
}

// service is what the pod with the fault is one of.
func (f fault) service() string { return serviceOf(f.pod) }

// minute is a minute that was recorded.
type minute struct {
	at          time.Time
	spans, logs string // files
}

// serviceOf is the workload that a pod of Kubernetes belongs to: its name without the
// hash of the replica set and that of the pod.
func serviceOf(pod string) string { return replica.ReplaceAllString(pod, "") }

var replica = regexp.MustCompile(`(-[0-9a-f]{6,10})?-[0-9a-z]{5}$`)

// open reads what there is in a recording, and none of its telemetry yet.
func open(dir string) (*recording, error) {
	r := &recording{}
	var err error
	if r.around, err = minutes(filepath.Join(dir, "rca_data")); err != nil {
		return nil, err
	}
	if r.reference, err = minutes(filepath.Join(dir, "construct_data")); err != nil {
		return nil, err
	}
	if r.metrics, err = filepath.Glob(filepath.Join(dir, "rca_data", "*", "metric", "*_metric.csv")); err != nil {
		return nil, err
	}
	lists, err := filepath.Glob(filepath.Join(dir, "rca_data", "*", "*fault_list.json"))
	if err != nil {
		return nil, err
	}
	for _, path := range lists {
		if err := r.list(path); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	regions, err := os.ReadFile(filepath.Join(dir, "construct_data", "root_cause_ts.json"))
	if err == nil {
		err = json.Unmarshal(regions, &r.regions)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if len(r.faults) == 0 || len(r.around) == 0 {
		return nil, fmt.Errorf("%s holds no recording: it has no rca_data with a list of faults", dir)
	}
	slices.SortFunc(r.faults, func(a, b fault) int { return a.at.Compare(b.at) })
	return r, nil
}

func (r *recording) list(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var list map[string][]struct {
		Time string `json:"inject_time"` // UTC; inject_timestamp is hours off
		Pod  string `json:"inject_pod"`
		Type string `json:"inject_type"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	for _, hour := range list {
		for _, f := range hour {
			at, err := time.Parse(time.DateTime, f.Time)
			if err != nil {
				return err
			}
			r.faults = append(r.faults, fault{at.UTC(), f.Pod, f.Type})
		}
	}
	return nil
}

// minutes finds the files of dir/<day>/trace/<hh_mm>_trace.csv and their logs.
func minutes(dir string) ([]minute, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "trace", "*_trace.csv"))
	if err != nil {
		return nil, err
	}
	var all []minute
	for _, spans := range files {
		day := filepath.Dir(filepath.Dir(spans))
		name := strings.TrimSuffix(filepath.Base(spans), "_trace.csv")
		at, err := time.Parse("2006-01-02 15_04", filepath.Base(day)+" "+name)
		if err != nil {
			return nil, fmt.Errorf("%s is not named by its minute: %w", spans, err)
		}
		all = append(all, minute{at.UTC(), spans, filepath.Join(day, "log", name+"_log.csv")})
	}
	slices.SortFunc(all, func(a, b minute) int { return a.at.Compare(b.at) })
	return all, nil
}

// rows reads a file with a head, calling each with the columns that are named, in
// their order; "" where a row has none.
func rows(path string, columns []string, each func(values []string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	r := csv.NewReader(f)
	r.FieldsPerRecord, r.ReuseRecord, r.LazyQuotes = -1, true, true
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	at := make([]int, len(columns))
	for i, name := range columns {
		if at[i] = slices.Index(head, name); at[i] < 0 {
			return fmt.Errorf("%s has no column %s", path, name)
		}
	}
	values := make([]string, len(columns))
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for i, column := range at {
			values[i] = ""
			if column < len(record) {
				values[i] = record[column]
			}
		}
		if err := each(values); err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("%s, line %d: %w", path, line, err)
		}
	}
}
