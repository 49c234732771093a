package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// question is a request as it goes over the wire; it is the same every time.
type question struct {
	address string
	bytes   []byte
	stream  bool
}

// timing is how long an answer took.
type timing struct {
	first time.Duration // until its first piece of text; of a whole answer the same as total
	total time.Duration
}

// ask sends a question over a connection, checks the answer, and says how long it took since began.
func (q *question) ask(c *connection, began time.Time) (timing, error) {
	if time.Since(c.used) > idle {
		c.close()
	}
	defer func() { c.used = time.Now() }()
	if err := c.dial(q.address); err != nil {
		return timing{}, err
	}
	if err := c.conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return timing{}, err
	}
	t, err := q.exchange(c, began)
	if err != nil {
		c.close()
	}
	return t, err
}

func (q *question) exchange(c *connection, began time.Time) (t timing, err error) {
	if _, err := c.conn.Write(q.bytes); err != nil {
		return t, err
	}
	response, err := http.ReadResponse(c.read, nil)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		return t, fmt.Errorf("%s: %s", response.Status, body)
	}
	if q.stream {
		return readStream(response.Body, began)
	}
	c.body.Reset()
	if _, err := c.body.ReadFrom(response.Body); err != nil {
		return t, err
	}
	t.total = time.Since(began)
	t.first = t.total
	if !bytes.Contains(c.body.Bytes(), quotedAnswer) {
		return t, fmt.Errorf("a wrong answer: %.500s", c.body.Bytes())
	}
	if response.Close {
		c.close()
	}
	return t, nil
}

var quotedAnswer = fmt.Appendf(nil, `"content":%q`, answer)

// readStream reads a stream to its end and compares its text with the answer.
func readStream(body io.Reader, began time.Time) (t timing, err error) {
	var text strings.Builder
	done := false
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		switch {
		case !ok:
			continue
		case string(data) == "[DONE]":
			done, t.total = true, time.Since(began)
			continue
		}
		var chunk struct {
			Choices []struct {
				Delta struct {
					Content string `json:"content"`
				} `json:"delta"`
			} `json:"choices"`
		}
		if err := json.Unmarshal(data, &chunk); err != nil {
			return t, err
		}
		for _, c := range chunk.Choices {
			if t.first == 0 && c.Delta.Content != "" {
				t.first = time.Since(began)
			}
			text.WriteString(c.Delta.Content)
		}
	}
	if err := lines.Err(); err != nil {
		return t, err
	}
	if !done || text.String() != answer {
		return t, fmt.Errorf("a wrong stream: %.500s", text.String())
	}
	return t, nil
}

// idle is how long a connection may rest between two questions. Servers close those that rest longer, Node.js
// after five seconds.
const idle = 2 * time.Second

// connection is one kept connection.
type connection struct {
	used time.Time
	conn net.Conn
	read *bufio.Reader
	body bytes.Buffer
}

func (c *connection) dial(address string) (err error) {
	if c.conn != nil {
		return nil
	}
	dialer := net.Dialer{Timeout: 10 * time.Second}
	if c.conn, err = dialer.Dial("tcp", address); err != nil {
		c.conn = nil
		return err
	}
	c.read = bufio.NewReader(c.conn)
	return nil
}

func (c *connection) close() {
	if c.conn != nil {
		_ = c.conn.Close() // it is not used again
		c.conn = nil
	}
}

// measured is what a load brought.
type measured struct {
	mu      sync.Mutex
	timings []timing
	took    time.Duration
	err     error // the first
	failed  int
}

func (m *measured) add(t timing, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.failed++
		if m.err == nil {
			m.err = err
		}
		return
	}
	m.timings = append(m.timings, t)
}

func (m *measured) perSecond() float64 { return float64(len(m.timings)) / m.took.Seconds() }

// quantile is that of the first pieces, or of whole answers.
func (m *measured) quantile(q float64, first bool) time.Duration {
	if len(m.timings) == 0 {
		return 0
	}
	all := make([]time.Duration, len(m.timings))
	for i, t := range m.timings {
		if all[i] = t.total; first {
			all[i] = t.first
		}
	}
	slices.Sort(all)
	return all[min(int(q*float64(len(all))), len(all)-1)]
}

// closed keeps so many questions under way at a time, each on a connection of its own.
func closed(ctx context.Context, q *question, connections int, during time.Duration) *measured {
	m := &measured{}
	began := time.Now()
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			var c connection
			defer c.close()
			for ctx.Err() == nil && time.Since(began) < during {
				t, err := q.ask(&c, time.Now())
				m.add(t, err)
				if err != nil {
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	all.Wait()
	m.took = time.Since(began)
	return m
}

// lines are kept connections of which each question at a fixed rate takes a free one.
type lines struct{ free chan *connection }

func newLines(n int) *lines {
	l := &lines{make(chan *connection, n)}
	for range n {
		l.free <- &connection{}
	}
	return l
}

func (l *lines) close() {
	for range cap(l.free) {
		(<-l.free).close()
	}
}

// open asks at a fixed rate, whether or not answers have come. An answer's time counts from when its question was
// due, so that waiting for a free connection counts too.
func (l *lines) open(ctx context.Context, m *measured, q *question, rate int, during time.Duration) {
	began := time.Now()
	every := time.Second / time.Duration(rate)
	var all sync.WaitGroup
	for i := range int(during / every) {
		due := began.Add(time.Duration(i) * every)
		time.Sleep(time.Until(due))
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			c := <-l.free
			t, err := q.ask(c, due)
			m.add(t, err)
			l.free <- c
		})
	}
	all.Wait()
	m.took += time.Since(began)
}
