package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

// serveSelf takes over the process when the benchmark was started again as one of its servers: a process of its
// own, so that what it costs is neither the loader's nor a gateway's.
func serveSelf() {
	if len(os.Args) < 3 {
		return
	}
	var handler http.Handler
	switch os.Args[1] {
	case "model":
		handler = http.HandlerFunc(model)
	case "proxy":
		handler = plainProxy(os.Args[3])
	default:
		return
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", os.Args[2])
	if err == nil {
		fmt.Println(selfReady)
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
		err = server.Serve(listener)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

const selfReady = "the server is ready"

// startSelf starts the benchmark again as one of its servers and returns its address.
func startSelf(ctx context.Context, dir, what string, more ...string) (*rig.Process, string, error) {
	address, err := rig.FreeAddress(ctx)
	if err != nil {
		return nil, "", err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	p, err := rig.Start(ctx, dir, what, self, append([]string{what, address}, more...)...)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := p.Printed(ctx, selfReady); err != nil {
		p.Kill()
		return nil, "", err
	}
	return p, address, nil
}

// plainProxy passes requests on through the standard library's server and client, over connections that stay open,
// and nothing else: it knows no callers, no limits and no log. As any gateway that looks at a prompt it has the
// request whole before it asks the model.
func plainProxy(model string) http.Handler {
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+model+r.URL.Path, bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out.Header = r.Header
		response, err := transport.RoundTrip(out)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		maps.Copy(w.Header(), response.Header)
		w.WriteHeader(response.StatusCode)
		flush := http.NewResponseController(w)
		piece := make([]byte, 4<<10)
		for {
			n, err := response.Body.Read(piece)
			if _, failed := w.Write(piece[:n]); failed != nil || err != nil {
				return // the client sees whether the answer is whole
			}
			if response.ContentLength < 0 && flush.Flush() != nil {
				return
			}
		}
	})
}

// startProxy starts the plain proxy: what a hop through Go's HTTP costs on the machine, below which nothing that
// is built on it comes.
func startProxy(ctx context.Context, dir, model string) (*rig.Process, *way, error) {
	p, address, err := startSelf(ctx, dir, "proxy", model)
	if err != nil {
		return nil, nil, err
	}
	w := direct(model)
	w.name, w.address = "plain proxy", address
	return p, w, nil
}
