package clickhouse

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// engineUser is the account the product uses in its embedded engine.
const engineUser = "matrix"

// engineConfig is everything the generated configuration depends on.
type engineConfig struct {
	Dir      string // absolute; holds config.xml, users.xml, start.sql, data/
	Port     int
	Password string
	Memory   int64 // bytes
	Cores    int
	Library  bool // the account `default` is needed to start the library
}

// The names of files below engineConfig.Dir.
const (
	configFile = "config.xml"
	startFile  = "start.sql"
	dataFolder = "data"
)

// configTemplate has no system log tables at all: nobody reads them here, and a
// query_log without expiry is a classic way to fill a disk. Pools are small
// because the defaults are for a machine that runs nothing else. The levels
// silence what clients are told anyway, as it would quote their statements, and
// a warning of merges about their own bookkeeping.
var configTemplate = template.Must(template.New("config").Funcs(template.FuncMap{"xml": xmlText}).Parse(`<clickhouse>
  <logger>
    <console>1</console>
    <console_log_level>warning</console_log_level>
    <levels>
      <logger><name>executeQuery</name><level>none</level></logger>
      <logger><name>TCPHandler</name><level>none</level></logger>
      <logger><name>DynamicQueryHandler</name><level>none</level></logger>
      <logger><name>BackgroundSchedulePool/BgStrmSchPool</name><level>none</level></logger>
      <logger><name>MergeMutateSelectedEntry</name><level>none</level></logger>
    </levels>
  </logger>
  <path>{{xml .Data}}/</path>
  <tmp_path>{{xml .Data}}/tmp/</tmp_path>
  <user_files_path>{{xml .Data}}/user_files/</user_files_path>
  <format_schema_path>{{xml .Data}}/format_schemas/</format_schema_path>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>{{.Port}}</tcp_port>
  <users_config>{{xml .Users}}</users_config>
  <user_directories><users_xml><path>{{xml .Users}}</path></users_xml></user_directories>
  <default_profile>default</default_profile>
  <max_server_memory_usage>{{.Memory}}</max_server_memory_usage>
  <mark_cache_size>{{.Cache}}</mark_cache_size>
  <index_mark_cache_size>{{.SmallCache}}</index_mark_cache_size>
  <primary_index_cache_size>{{.SmallCache}}</primary_index_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <query_condition_cache_size>{{.SmallCache}}</query_condition_cache_size>
  <mmap_cache_size>64</mmap_cache_size>
  <compiled_expression_cache_size>16777216</compiled_expression_cache_size>
  <query_cache><max_size_in_bytes>0</max_size_in_bytes></query_cache>
  <background_pool_size>{{.Merges}}</background_pool_size>
  <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
  <background_move_pool_size>1</background_move_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_buffer_flush_schedule_pool_size>1</background_buffer_flush_schedule_pool_size>
  <background_distributed_schedule_pool_size>1</background_distributed_schedule_pool_size>
  <background_message_broker_schedule_pool_size>1</background_message_broker_schedule_pool_size>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <max_concurrent_queries>200</max_concurrent_queries>
  <max_connections>512</max_connections>
  <shutdown_wait_unfinished>1</shutdown_wait_unfinished>
  <keep_alive_timeout>30</keep_alive_timeout>
  <asynchronous_metrics_update_period_s>15</asynchronous_metrics_update_period_s>
  <merge_tree>
    <number_of_free_entries_in_pool_to_execute_mutation>{{.Merges}}</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>{{.Merges}}</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>{{.Merges}}</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
    <merge_with_ttl_timeout>3600</merge_with_ttl_timeout>
  </merge_tree>
</clickhouse>
`))

// usersTemplate gives the product an account with what it uses: no table
// functions that read files or addresses. The library starts its listener as
// the account "default", without a password, which cannot be changed: it may do
// nothing but that, once per start (the quota), and only from loopback.
var usersTemplate = template.Must(template.New("users").Parse(`<clickhouse>
  <profiles>
    <default>
      <poll_interval>1</poll_interval>
      <log_queries>0</log_queries>
      <query_profiler_real_time_period_ns>0</query_profiler_real_time_period_ns>
      <query_profiler_cpu_time_period_ns>0</query_profiler_cpu_time_period_ns>
      <max_bytes_ratio_before_external_group_by>0.5</max_bytes_ratio_before_external_group_by>
      <max_bytes_ratio_before_external_sort>0.5</max_bytes_ratio_before_external_sort>
      <max_memory_usage>{{.QueryMemory}}</max_memory_usage>
    </default>
  </profiles>
  <quotas>
    <default/>
    <once><interval><duration>2147483647</duration><queries>1</queries></interval></once>
  </quotas>
  <users>
    {{if .Library}}<default>
      <no_password/>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>once</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants>
    </default>{{end}}
    <` + engineUser + `>
      <password_sha256_hex>{{.PasswordHash}}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SHOW, SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE, UNDROP TABLE, KILL QUERY, KILL TRANSACTION, SYSTEM, dictGet, REMOTE, CLUSTER, INTROSPECTION ON *.*</query>
        <query>GRANT TABLE ENGINE ON *</query>
      </grants>
    </` + engineUser + `>
  </users>
</clickhouse>
`))

// write puts the configuration into c.Dir, readable by this user only.
func (c engineConfig) write() error {
	merges := min(max(c.Cores, 2), 16)
	data := filepath.Join(c.Dir, dataFolder)
	users := filepath.Join(c.Dir, "users.xml")
	hash := sha256.Sum256([]byte(c.Password))
	values := struct {
		engineConfig
		Data, Users, PasswordHash string
		Merges                    int
		Cache, SmallCache         int64
		QueryMemory               int64
	}{
		engineConfig: c, Data: data, Users: users, PasswordHash: hex.EncodeToString(hash[:]),
		Merges: merges, Cache: 128 << 20, SmallCache: 32 << 20, QueryMemory: c.Memory / 2,
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("engine directory: %w", err)
	}
	for name, t := range map[string]*template.Template{configFile: configTemplate, "users.xml": usersTemplate} {
		var text strings.Builder
		if err := t.Execute(&text, values); err != nil {
			return fmt.Errorf("engine configuration: %w", err)
		}
		if err := writePrivate(filepath.Join(c.Dir, name), text.String()); err != nil {
			return err
		}
	}
	return writePrivate(filepath.Join(c.Dir, startFile), "SYSTEM START LISTEN TCP;\n")
}

// writePrivate replaces the file: one left by somebody else keeps neither its
// mode nor its links.
func writePrivate(path, text string) error {
	temp := path + ".new"
	if err := os.Remove(temp); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("engine configuration: %w", err)
	}
	if err := os.WriteFile(temp, []byte(text), 0o600); err != nil {
		return fmt.Errorf("engine configuration: %w", err)
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("engine configuration: %w", err)
	}
	return nil
}

var xmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func xmlText(s string) string { return xmlEscaper.Replace(s) }
