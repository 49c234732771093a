package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

var built = fstest.MapFS{
	"index.html":         {Data: []byte(`<meta property="csp-nonce" nonce="__CSP_NONCE__"><script type="module" src="/assets/a-1.js" nonce="__CSP_NONCE__"></script>`)},
	"assets/a-1.js":      {Data: []byte(strings.Repeat("let a = 1;\n", 200))},
	"assets/.hidden":     {Data: []byte("no")},
	"favicon.svg":        {Data: []byte("<svg/>")},
	"assets/sub/b-2.css": {Data: []byte("a{}")},
}

func get(t *testing.T, h http.Handler, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryScreenPathIsAnsweredWithThePage(t *testing.T) {
	h := serve(built)
	for _, target := range []string{"/", "/index.html", "/projects/1/incidents/7", "/login?to=/x", "/../etc/passwd"} {
		res := get(t, h, "GET", target)
		if res.StatusCode != 200 || res.Header.Get("Cache-Control") != "no-cache" || !strings.Contains(body(t, res), "/assets/a-1.js") {
			t.Errorf("GET %s: %d, Cache-Control %q", target, res.StatusCode, res.Header.Get("Cache-Control"))
		}
	}
}

func TestAMissingAssetOrEndpointIsNotAnsweredWithAPage(t *testing.T) {
	h := serve(built)
	for _, target := range []string{"/assets/old-0.js", "/api/v1/nothing", "/api", "/assets/.hidden"} {
		if res := get(t, h, "GET", target); res.StatusCode != 404 {
			t.Errorf("GET %s: %d, want 404", target, res.StatusCode)
		}
	}
}

func TestEachPageCarriesItsOwnNonceAndAStrictPolicy(t *testing.T) {
	h := serve(built)
	seen := map[string]bool{}
	for range 3 {
		res := get(t, h, "GET", "/")
		policy := res.Header.Get("Content-Security-Policy")
		m := regexp.MustCompile(`script-src 'self' 'nonce-([\w-]{20,})'`).FindStringSubmatch(policy)
		if m == nil || strings.Contains(policy, "unsafe") {
			t.Fatalf("policy %q", policy)
		}
		text := body(t, res)
		if strings.Contains(text, nonceMark) || strings.Count(text, m[1]) != 2 {
			t.Errorf("the page does not carry the nonce of its policy: %s", text)
		}
		seen[m[1]] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d nonces in 3 pages", len(seen))
	}
}

func TestHashedFilesAreKeptForEverAndOthersAreAskedAgain(t *testing.T) {
	h := serve(built)
	if cc := get(t, h, "GET", "/assets/a-1.js").Header.Get("Cache-Control"); !strings.Contains(cc, "immutable") {
		t.Errorf("asset: %q", cc)
	}
	res := get(t, h, "GET", "/favicon.svg")
	if cc := res.Header.Get("Cache-Control"); cc != "no-cache" {
		t.Errorf("favicon: %q", cc)
	}
	if again := get(t, h, "GET", "/favicon.svg", "If-None-Match", res.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("unchanged favicon: %d, want 304", again.StatusCode)
	}
}

func TestFilesTravelCompressedToThoseWhoTakeIt(t *testing.T) {
	h := serve(built)
	plain := get(t, h, "GET", "/assets/a-1.js")
	packed := get(t, h, "GET", "/assets/a-1.js", "Accept-Encoding", "br, gzip")
	if plain.Header.Get("Content-Encoding") != "" || packed.Header.Get("Content-Encoding") != "gzip" || packed.Header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("encodings %q and %q", plain.Header.Get("Content-Encoding"), packed.Header.Get("Content-Encoding"))
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(z)
	if err != nil || string(unpacked) != body(t, plain) {
		t.Errorf("compressed and plain differ (%v)", err)
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	if res := get(t, serve(built), "POST", "/projects/1"); res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, Allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
	if res := get(t, serve(built), "HEAD", "/"); res.StatusCode != 200 || body(t, res) != "" {
		t.Errorf("HEAD: %d", res.StatusCode)
	}
}

func TestABinaryWithoutScreensSaysHowToBuildThem(t *testing.T) {
	res := get(t, serve(fstest.MapFS{".gitkeep": {}}), "GET", "/")
	if res.StatusCode != 503 || !strings.Contains(body(t, res), "make build") {
		t.Errorf("status %d", res.StatusCode)
	}
}
