package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

// serveModel takes over the process when the benchmark was started again as the model server: a process of its
// own, so that what it costs is neither the loader's nor a gateway's.
func serveModel() {
	if len(os.Args) != 3 || os.Args[1] != "model" {
		return
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", os.Args[2])
	if err == nil {
		fmt.Println(modelReady)
		server := &http.Server{Handler: http.HandlerFunc(model), ReadHeaderTimeout: time.Minute}
		err = server.Serve(listener)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

const modelReady = "the model server is ready"

// startModel starts the model server and returns its address.
func startModel(ctx context.Context, dir string) (*rig.Process, string, error) {
	address, err := rig.FreeAddress(ctx)
	if err != nil {
		return nil, "", err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	p, err := rig.Start(ctx, dir, "model", self, "model", address)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := p.Printed(ctx, modelReady); err != nil {
		p.Kill()
		return nil, "", err
	}
	return p, address, nil
}

// modelBase is the base URL of a model that thinks for the given time before it answers. One that is masked
// refuses requests in which it finds an original.
func modelBase(address string, thinks time.Duration, masked bool) string {
	which := "plain"
	if masked {
		which = "masked"
	}
	return fmt.Sprintf("http://%s/%s/%d/v1", address, which, thinks.Milliseconds())
}

const usage = `"usage":{"prompt_tokens":1024,"completion_tokens":128,"total_tokens":1152}`

var (
	wholeAnswer    = fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"bench-model","choices":[{"index":0,"message":{"role":"assistant","content":%q,"refusal":null},"logprobs":null,"finish_reason":"stop"}],%s}`, answer, usage)
	streamedAnswer = streamed()
	streamRequest  = []byte(`"stream":true`)
)

// streamed is the answer in pieces of eight words, each an event.
func streamed() []string {
	chunk := func(choices, rest string) string {
		return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000000,"model":"bench-model","choices":[` + choices + `]` + rest + "}\n\n"
	}
	events := []string{chunk(`{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}`, "")}
	words := strings.SplitAfter(answer, " ")
	for len(words) > 0 {
		n := min(8, len(words))
		events = append(events, chunk(fmt.Sprintf(`{"index":0,"delta":{"content":%q},"finish_reason":null}`, strings.Join(words[:n], "")), ""))
		words = words[n:]
	}
	return append(events, chunk(`{"index":0,"delta":{},"finish_reason":"stop"}`, ""), chunk("", ","+usage), "data: [DONE]\n\n")
}

// model answers /plain|masked/{ms}/v1/chat/completions.
func model(w http.ResponseWriter, r *http.Request) {
	part := strings.Split(r.URL.Path, "/")
	body, err := io.ReadAll(r.Body)
	if err != nil || len(part) < 4 || !strings.HasSuffix(r.URL.Path, "/chat/completions") {
		http.Error(w, `{"error":{"message":"no such path"}}`, http.StatusNotFound)
		return
	}
	if part[1] == "masked" {
		for _, original := range originals {
			if bytes.Contains(body, []byte(original)) {
				http.Error(w, `{"error":{"message":"an original has left"}}`, http.StatusBadRequest)
				return
			}
		}
	} else if !bytes.Contains(body, []byte(originals[0])) {
		http.Error(w, `{"error":{"message":"the prompt is not whole"}}`, http.StatusBadRequest)
		return
	}
	if ms, _ := strconv.Atoi(part[2]); ms > 0 {
		time.Sleep(time.Duration(ms) * time.Millisecond)
	}
	if !bytes.Contains(body, streamRequest) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(wholeAnswer)))
		_, _ = io.WriteString(w, wholeAnswer) // the gateway is gone when this fails
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	for _, event := range streamedAnswer {
		if _, err := io.WriteString(w, event); err != nil {
			return
		}
		if err := flush.Flush(); err != nil {
			return
		}
	}
}
