package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/app"
)

func env(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := values[name]; return v, ok }
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "matrix.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnUnknownKeyNamesItsLine(t *testing.T) {
	_, err := app.LoadFile(write(t, "base_url: http://m.example\nai:\n  provider: {}\n"), env(nil))
	if err == nil || !strings.Contains(err.Error(), "line 3") || !strings.Contains(err.Error(), "provider") {
		t.Fatalf("err = %v, want the line and the key", err)
	}
}

func TestAnUnsetVariableNamesItsLineAndName(t *testing.T) {
	_, err := app.LoadFile(write(t, "ai:\n  providers:\n    openai: {kind: openai, api_key: \"${NOPE}\"}\n"), env(nil))
	if err == nil || !strings.Contains(err.Error(), "line 3") || !strings.Contains(err.Error(), "NOPE") {
		t.Fatalf("err = %v", err)
	}
}

func TestAVariableIsAValueAndNeverSyntax(t *testing.T) {
	file, err := app.LoadFile(write(t, "ai:\n  providers:\n    openai: {kind: openai, api_key: \"${KEY}\"}\n"),
		env(map[string]string{"KEY": "a\"}, evil: {kind: \"x"}))
	if err != nil {
		t.Fatal(err)
	}
	if len(file.AI.Providers) != 1 || file.AI.Providers["openai"].APIKey != "a\"}, evil: {kind: \"x" {
		t.Fatalf("providers = %+v", file.AI.Providers)
	}
}

func TestAVariableMayBeANumber(t *testing.T) {
	f := func(value string) (app.File, error) {
		t.Helper()
		return app.LoadFile(write(t, "base_url: http://m.example\ningest:\n  max_body_mib: ${MIB}\nsecrets_key: ${MIB}\n"), env(map[string]string{"MIB": value}))
	}
	file, err := f("32")
	if err != nil || file.Ingest.MaxBodyMiB != 32 || file.SecretsKey != "32" {
		t.Fatalf("%+v, %v", file, err)
	}
	if _, err := f("many"); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Fatalf("err = %v, want the line", err)
	}
}

func TestTheFileMayNameTheStoresUnlessAFlagDoes(t *testing.T) {
	file, err := app.LoadFile(write(t, "metadb: \"${DB}\"\nclickhouse: [\"clickhouse://u:${DB}@h:9000/d\"]\n"), env(map[string]string{"DB": "postgres://secret"}))
	if err != nil {
		t.Fatal(err)
	}
	o := app.Options{DataDir: "d", Listen: "127.0.0.1:0", OTLPGRPC: "127.0.0.1:0", OTLPHTTP: "127.0.0.1:0", File: file}
	if err := o.Check(); err != nil || o.MetaDSN() != "postgres://secret" {
		t.Fatalf("%q, %v", o.MetaDSN(), err)
	}
	o.MetaDB = "sqlite:x"
	if err := o.Check(); err == nil || !strings.Contains(err.Error(), "--metadb") {
		t.Errorf("both given: %v", err)
	}
	o.MetaDB, o.ClickHouse = "", []string{"clickhouse://x"}
	if err := o.Check(); err == nil || !strings.Contains(err.Error(), "--clickhouse") {
		t.Errorf("both given: %v", err)
	}
	o.ClickHouse, o.File.MetaDB = nil, "mysql://secret"
	if err := o.Check(); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the message repeats a DSN: %v", err)
	}
}

func TestNoFileAndAnEmptyFileRun(t *testing.T) {
	for _, path := range []string{"", write(t, ""), write(t, "# nothing yet\n")} {
		if _, err := app.LoadFile(path, env(nil)); err != nil {
			t.Errorf("LoadFile(%q) = %v", path, err)
		}
	}
}

func TestTheOpenAIVariablesConfigureAProviderUnlessTheFileDoes(t *testing.T) {
	vars := env(map[string]string{"OPENAI_API_KEY": "k", "OPENAI_MODEL": "m"})
	file := app.File{}.WithEnvironment(vars)
	if file.AI.Providers["openai"].APIKey != "k" || file.AI.DefaultChain[0] != "openai/m" {
		t.Fatalf("AI = %+v", file.AI)
	}
	own := app.File{AI: app.FileAI{Providers: map[string]app.FileProvider{"local": {Kind: "openai"}}}}
	if got := own.WithEnvironment(vars); len(got.AI.Providers) != 1 || got.AI.Providers["local"].Kind == "" {
		t.Fatalf("the file's providers must win: %+v", got.AI)
	}
	if got := (app.File{}).WithEnvironment(env(nil)); got.AI.Providers != nil {
		t.Fatalf("no variable, no provider: %+v", got.AI)
	}
}

func TestCheckSaysWhatToWriteInstead(t *testing.T) {
	good := app.Options{DataDir: "d", Listen: "127.0.0.1:8080", OTLPGRPC: "127.0.0.1:4317", OTLPHTTP: "127.0.0.1:4318"}
	f := func(change func(*app.Options), want string) {
		t.Helper()
		o := good
		change(&o)
		err := o.Check()
		if want == "" && err != nil {
			t.Errorf("Check = %v, want none", err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("Check = %v, want %q", err, want)
		}
	}
	f(func(*app.Options) {}, "")
	f(func(o *app.Options) { o.Listen = "8080" }, "--listen")
	f(func(o *app.Options) { o.DataDir = "" }, "--data")
	f(func(o *app.Options) { o.MetaDB = "mysql://x" }, "postgres://")
	f(func(o *app.Options) { o.ClickHouse = []string{"http://x"} }, "clickhouse://")
	f(func(o *app.Options) { o.Dev, o.OTLPHTTP = true, "0.0.0.0:4318" }, "loopback")
	f(func(o *app.Options) { o.File.BaseURL = "matrix.example" }, "base_url")
	f(func(o *app.Options) { o.File.OTLPURL = "matrix.example:4318" }, "otlp_url")
	f(func(o *app.Options) { o.File.TimeZone = "Seoul" }, "Asia/Seoul")
	f(func(o *app.Options) { o.File.AI.DefaultChain = []string{"openai/x"} }, "ai.providers")
	f(func(o *app.Options) { o.File.Notify.AllowNetworks = []string{"10.0.0.1"} }, "allow_networks")
	f(func(o *app.Options) { o.File.Rules.EvaluateEvery = 500 * time.Millisecond }, "rules.evaluate_every")
	f(func(o *app.Options) { o.File.Login.AllowNetworks = []string{"10.0.0.1"} }, "login.allow_networks")
	f(func(o *app.Options) { o.File.AI.AllowNetworks = []string{"10.0.0.1"} }, "ai.allow_networks")
	f(func(o *app.Options) { o.File.Ingest.MaxBodyMiB = -1 }, "max_body_mib")
	f(func(o *app.Options) { o.File.Ingest.MaxActiveSeries = -1 }, "max_active_series")
}

func TestCheckReadsTheFilesThatSayWhatIsScraped(t *testing.T) {
	good := write(t, "scrape_configs: [{job_name: node, static_configs: [{targets: ['10.0.0.1:9100']}]}]")
	bad := write(t, "scrape_configs: [{job_name: node, ec2_sd_configs: [{}]}]")
	f := func(dev bool, want string, entries ...app.FileScrape) {
		t.Helper()
		o := app.Options{DataDir: "d", Listen: "127.0.0.1:8080", OTLPGRPC: "127.0.0.1:4317", OTLPHTTP: "127.0.0.1:4318", Dev: dev, File: app.File{Scrape: entries}}
		if err := o.Check(); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("Check = %v, want %q", err, want)
		}
	}
	f(false, "", app.FileScrape{Key: "a", File: good}, app.FileScrape{Key: "b", File: good})
	f(false, "scrape[0].file must name", app.FileScrape{Key: "a"})
	f(false, "scrape[0].key", app.FileScrape{File: good})
	f(true, "", app.FileScrape{File: good})
	f(false, "scrape[1].key", app.FileScrape{Key: "a", File: good}, app.FileScrape{Key: "a", File: good})
	f(false, "ec2_sd_configs is not built", app.FileScrape{Key: "a", File: bad})
	f(false, "scrape[0].file: the scrape file cannot be read", app.FileScrape{Key: "a", File: good + ".none"})
}

func TestASearchEngineIsCheckedBeforeTheStart(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		file, err := app.LoadFile(write(t, "ai:\n  search: "+text+"\n"), env(map[string]string{"PW": "hidden"}))
		if err != nil {
			t.Fatal(err)
		}
		err = app.Options{Listen: "127.0.0.1:0", OTLPGRPC: "127.0.0.1:0", OTLPHTTP: "127.0.0.1:0", DataDir: "x", File: file}.Check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("the password is told: %v", err)
		}
	}
	f(`{urls: ["https://a:9200", "https://b:9200"], user: u, password: "${PW}"}`, "")
	f(`{urls: ["https://a:9200"], api_key: "${PW}", index: calls-of-models, lifecycle: p}`, "")
	f(`{user: u, password: "${PW}"}`, "ai.search.urls")
	f(`{urls: ["u:${PW}@a:9200"]}`, "ai.search.urls")
	f(`{urls: ["https://a:9200"], user: u, password: p, api_key: "${PW}"}`, "ai.search.api_key")
	f(`{urls: ["https://a:9200"], index: Calls}`, "ai.search.index")
}
