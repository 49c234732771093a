package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

// startModel starts the model server and returns its address.
func startModel(ctx context.Context, dir string) (*rig.Process, string, error) {
	return startSelf(ctx, dir, "model")
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
