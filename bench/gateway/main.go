// Command gateway measures what MATRIX costs between a client and a model: the time it adds, how many requests a
// second it passes on, and its memory, beside calls without a gateway, through a plain proxy and through Portkey's, all in one run
// against one model server of its own. Every answer is checked, and so is that every call is in MATRIX's log. It ends with
// a table, a file in bench/results and one line RESULT.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

const database = "matrix"

type options struct {
	rate, connections int
	at, peak          time.Duration
	rounds            int
	thinks            time.Duration
	portkey           bool
	matrix, results   string
	company           string
}

func main() {
	rig.ServeEngine()
	serveSelf()
	var o options
	flag.IntVar(&o.rate, "rate", 200, "requests a second for added latency")
	flag.DurationVar(&o.at, "at", 10*time.Second, "how long each way is asked at that rate")
	flag.IntVar(&o.rounds, "rounds", 4, "turns in which the ways share that time, so that a busy moment of the machine is not one's alone")
	flag.DurationVar(&o.thinks, "thinks", 20*time.Millisecond, "how long the model takes for added latency; for the peak it answers at once")
	flag.IntVar(&o.connections, "connections", 64, "requests under way at a time for the peak")
	flag.DurationVar(&o.peak, "peak", 8*time.Second, "how long each way is asked for the peak")
	flag.BoolVar(&o.portkey, "portkey", true, "measure Portkey's gateway, too")
	flag.StringVar(&o.matrix, "matrix", "bin/matrix", "the program to measure")
	flag.StringVar(&o.results, "results", "bench/results", "directory for the result; empty writes none")
	flag.StringVar(&o.company, "company", "nothing that we know of", "what else ran on the machine, for the result")
	flag.Parse()
	rig.Main("bench-gateway", func(ctx context.Context) error { return run(ctx, o) })
}

func run(ctx context.Context, o options) (err error) {
	if o.rate < 1 || o.connections < 1 || o.rounds < 1 || o.thinks < time.Millisecond {
		return errors.New("rate, connections and rounds are at least 1, thinks at least 1ms")
	}
	dir, err := os.MkdirTemp("", "matrix-gateway-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	model, address, err := startModel(ctx, dir)
	if err != nil {
		return err
	}
	defer model.Kill()
	proxy, through, err := startProxy(ctx, dir, address)
	if err != nil {
		return err
	}
	defer proxy.Kill()
	ways := []*way{direct(address), through}
	if o.portkey {
		portkey, w, err := startPortkey(ctx, dir, address)
		if err != nil {
			return err
		}
		defer portkey.Kill()
		ways = append(ways, w)
	}
	engine, err := rig.StartEngine(ctx, dir, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Stop()) }()
	matrix, ours, err := startMatrix(ctx, dir, o.matrix, address, engine, o.thinks)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, matrix.Stop()) }()
	ways = append(ways, ours...)

	r, err := measure(ctx, o, ways, matrix.PID(), engine.PID())
	if err != nil {
		return err
	}
	if err := r.count(ctx, engine, matrix); err != nil {
		return err
	}
	if r.engine, err = engine.Version(ctx); err != nil {
		return err
	}
	if r.structured, r.text, err = maskSpeed(ctx); err != nil {
		return err
	}
	text, line := r.report(), r.resultLine()
	fmt.Print(text)
	wrong := r.wrong()
	if o.results != "" && wrong == nil {
		path := filepath.Join(o.results, "gateway-"+time.Now().UTC().Format("2006-01-02")+".md")
		if err := os.WriteFile(path, []byte(text+"\n```\n"+line+"\n```\n"), 0o644); err != nil {
			return err
		}
	}
	fmt.Println(line)
	return wrong
}
