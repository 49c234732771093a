// Package web owns the screens of MATRIX: the TypeScript sources beside this
// file, and the handler that serves what Vite made of them out of the binary.
// It knows nothing of the API; the API is mounted in front of it.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// nonceMark stands in the built index.html wherever the nonce of the response
// belongs (vite.config.ts, html.cspNonce).
const nonceMark = "__CSP_NONCE__"

// Handler serves the built screens: hashed files under /assets/ for ever, the
// page itself fresh each time and for every path a screen may have. Built
// without dist/ it answers 503 with a page that names the command to run.
func Handler() http.Handler {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path: fs.Sub cannot refuse it
	}
	return serve(built)
}

func serve(built fs.FS) http.Handler {
	index, err := fs.ReadFile(built, "index.html")
	if err != nil {
		return http.HandlerFunc(unbuilt)
	}
	s := &site{built: built, index: index}
	return http.HandlerFunc(s.serve)
}

type site struct {
	built fs.FS
	index []byte
	files sync.Map // name → func() (*file, error), read and compressed once
}

// file is one built file as it goes over the wire.
type file struct {
	plain, gzipped []byte // gzipped is nil where it saves nothing
	kind, etag     string
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name != "" && name != "index.html" {
		if f, err := s.file(name); err == nil {
			f.serve(w, r, strings.HasPrefix(name, "assets/"))
			return
		}
		// A missing asset or endpoint must not be answered with a page: the
		// browser would try to run it.
		if strings.HasPrefix(name, "assets/") || name == "api" || strings.HasPrefix(name, "api/") {
			http.NotFound(w, r)
			return
		}
	}
	s.page(w, r)
}

// page writes index.html under a policy that lets only our own files and the
// styles carrying this response's nonce act.
func (s *site) page(w http.ResponseWriter, r *http.Request) {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	nonce := base64.RawURLEncoding.EncodeToString(random[:])
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+nonce+"'; style-src 'self' 'nonce-"+nonce+
		"'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(bytes.ReplaceAll(s.index, []byte(nonceMark), []byte(nonce)))
}

func (s *site) file(name string) (*file, error) {
	if info, err := fs.Stat(s.built, name); err != nil {
		return nil, err
	} else if info.IsDir() || strings.HasPrefix(path.Base(name), ".") {
		return nil, fs.ErrNotExist
	}
	load, _ := s.files.LoadOrStore(name, sync.OnceValues(func() (*file, error) { return read(s.built, name) }))
	return load.(func() (*file, error))()
}

func read(built fs.FS, name string) (*file, error) {
	plain, err := fs.ReadFile(built, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(plain)
	f := &file{plain: plain, kind: mime.TypeByExtension(path.Ext(name)), etag: `"` + hex.EncodeToString(sum[:8]) + `"`}
	if f.kind == "" {
		f.kind = http.DetectContentType(plain)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(plain); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	if packed.Len() < len(plain)*9/10 {
		f.gzipped = packed.Bytes()
	}
	return f, nil
}

func (f *file) serve(w http.ResponseWriter, r *http.Request, hashed bool) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("ETag", f.etag)
	h.Set("Cache-Control", "no-cache")
	if hashed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.plain
	if f.gzipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = f.gzipped
		}
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body)
}

func unbuilt(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte("<!doctype html><title>MATRIX</title><h1>MATRIX</h1>" +
		"<p>This binary was built without its screens. The API works; for the screens run <code>make build</code> and start again.</p>\n"))
}
