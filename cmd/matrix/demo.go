package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/app"
	"github.com/matrix-aiops/matrix/internal/client"
	"github.com/matrix-aiops/matrix/internal/shop"
)

const warmUp = 3 * time.Second // of normal traffic before the fault

type demoCommand struct {
	nodeFlags
	Once bool    `help:"End after the report: exit 0 when it was delivered, 1 when it was not."`
	Lang string  `help:"Language of the report: ko or en." enum:"ko,en" default:"ko"`
	Rate float64 `help:"Requests per second of the shop's customers." default:"5"`
	// Patience bounds the way from the slow query to the delivered report: at most
	// 10 s to the next evaluation, 5 s for the rest of the trace, 60 s for each
	// model of the chain, and some for a slow machine.
	Patience time.Duration `hidden:"" default:"3m"`
	// What happens is told on standard output; the log only adds what went wrong.
	LogLevel slog.Level `help:"debug, info, warn or error." default:"warn"`
}

// Run starts MATRIX on a throw-away data directory and the shop beside it.
func (c *demoCommand) Run(ctx context.Context) (err error) {
	data, err := os.MkdirTemp("", "matrix-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	options, err := c.options(storeFlags{Data: data}, true)
	if err != nil {
		return err
	}
	// The file's models and channels are wanted here, its installation is not.
	file := &options.File
	file.MetaDB, file.ClickHouse, file.BaseURL, file.OTLPURL, file.OTLPGRPCURL, file.SecretsKey = "", nil, "", "", "", ""
	log := newLogger(c.LogLevel)
	matrix := app.New(options, log)
	if err := matrix.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop(matrix)) }()

	first := matrix.FirstStart()
	fmt.Printf("MATRIX is ready on %s\n  sign in as  %s\n  password    %s\n\n", matrix.URL(), first.Email, first.Password)
	if len(options.File.AI.Providers) == 0 {
		fmt.Print("No model is configured: the report will be written from the evidence alone, and says so.\n" +
			"Set OPENAI_API_KEY (and OPENAI_BASE_URL, OPENAI_MODEL) to let one analyse it.\n\n")
	}
	visitor, err := client.SignIn(ctx, matrix.URL(), first.Email, first.Password)
	if err != nil {
		return err
	}
	if err := setLanguage(ctx, visitor, uint32(first.Project.ID), c.Lang); err != nil {
		return err
	}

	market, err := shop.New(shop.Options{Endpoint: matrix.OTLPHTTPURL(), Key: first.Key, Rate: c.Rate, Log: log})
	if err != nil {
		return err
	}
	fmt.Println("The shop opens: seven services, and what they did an hour, a day and a week ago ...")
	if err := market.Backfill(ctx); err != nil {
		return err
	}
	running, end := context.WithCancelCause(ctx)
	var shopping sync.WaitGroup
	shopping.Go(func() { end(cmp.Or(market.Run(running), errors.New("the shop has closed"))) })
	shopping.Go(func() {
		select {
		case err := <-matrix.Failed():
			end(err)
		case <-running.Done():
		}
	})
	defer func() {
		end(nil)
		shopping.Wait()
	}()

	if err := sleep(running, warmUp); err != nil {
		return err
	}
	market.SlowSQL()
	fmt.Print("One SQL query of order-api has become slow. The rules look every 10 s ...\n\n")

	waiting, cancel := context.WithTimeoutCause(running, c.Patience, errPatience)
	defer cancel()
	link, err := awaitReport(waiting, visitor, uint32(first.Project.ID))
	switch cause := context.Cause(waiting); {
	case err == nil:
	case errors.Is(cause, errPatience):
		return fmt.Errorf("the report was not delivered within %s: %w", c.Patience, err)
	case cause != nil: // interrupted, or a part has ended
		return cause
	default:
		return err
	}
	fmt.Printf("\nThe incident, with every sentence linked to its evidence:\n  %s%s\n", matrix.URL(), link)
	if c.Once {
		return nil
	}
	fmt.Println("The shop goes on until Ctrl-C; the demo keeps nothing.")
	<-running.Done()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(running)
}

var errPatience = errors.New("patience is over")

// sleep waits for d, or returns why ctx has ended.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

func setLanguage(ctx context.Context, c *client.Client, project uint32, language string) error {
	path := fmt.Sprintf("/api/v1/projects/%d", project)
	var settings struct {
		Name      string          `json:"name"`
		Language  string          `json:"language"`
		Retention json.RawMessage `json:"retention"`
		Rate      json.RawMessage `json:"rate"`
	}
	etag, err := c.Get(ctx, path, &settings)
	if err != nil || settings.Language == language {
		return err
	}
	settings.Language = language
	_, err = c.Call(ctx, http.MethodPut, path, etag, settings, nil)
	return err
}

// awaitReport returns the path of the incident page after the report of the
// first incident was delivered. When ctx ends first the error says how far it came.
func awaitReport(ctx context.Context, c *client.Client, project uint32) (string, error) {
	list := fmt.Sprintf("/api/v1/projects/%d/incidents", project)
	last := errors.New("no incident was opened")
	for {
		id, report, err := reportOf(ctx, c, list)
		switch {
		case err == nil && report.State == "delivered":
			return fmt.Sprintf("/projects/%d/incidents/%s", project, id), nil
		case err == nil && report.State == "failed":
			return "", fmt.Errorf("the report was not delivered: %s", report.Error)
		case err == nil && report.State != "":
			last = fmt.Errorf("it is %s", report.State)
		case err != nil && ctx.Err() == nil:
			last = err
		}
		if sleep(ctx, 500*time.Millisecond) != nil {
			return "", last
		}
	}
}

// delivery is how a message fares at one channel; the zero value is none.
type delivery struct {
	Message string `json:"message"`
	State   string `json:"state"`
	Error   string `json:"error"`
}

// reportOf returns the id of the newest incident, "" while there is none, and
// the delivery of its report.
func reportOf(ctx context.Context, c *client.Client, list string) (id string, report delivery, err error) {
	var incidents struct {
		Items []struct {
			ID int64 `json:"id"`
		} `json:"items"`
	}
	if _, err := c.Get(ctx, list, &incidents); err != nil || len(incidents.Items) == 0 {
		return "", delivery{}, err
	}
	id = strconv.FormatInt(incidents.Items[0].ID, 10)
	var detail struct {
		Deliveries []delivery `json:"deliveries"`
	}
	if _, err := c.Get(ctx, list+"/"+id, &detail); err != nil {
		return "", delivery{}, err
	}
	for _, d := range detail.Deliveries {
		if d.Message == "incident.report" {
			return id, d, nil
		}
	}
	return id, delivery{State: "being analysed"}, nil
}
