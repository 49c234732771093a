package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/app"
	"github.com/matrix-aiops/matrix/internal/client"
	"github.com/matrix-aiops/matrix/internal/shop"
)

const (
	warmUp = 3 * time.Second // of normal traffic before the fault
	// demoPatience bounds the way from the slow query to the delivered report:
	// at most 10 s to the next evaluation, 5 s for the rest of the trace, 60 s
	// for each model of the chain, and some for a slow machine.
	demoPatience = 3 * time.Minute
)

type demoCommand struct {
	serverFlags
	Once bool    `help:"End after the report: exit 0 when it was delivered, 1 when it was not."`
	Lang string  `help:"Language of the report: ko or en." enum:"ko,en" default:"ko"`
	Rate float64 `help:"Requests per second of the shop's customers." default:"5"`
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
	options, err := c.options(data, true)
	if err != nil {
		return err
	}
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
	fmt.Println("The shop opens: seven services, and what they did an hour and a day ago ...")
	if err := market.Backfill(ctx); err != nil {
		return err
	}
	shopping, closeShop := context.WithCancel(ctx)
	shopClosed := make(chan error, 1)
	go func() { shopClosed <- market.Run(shopping) }()
	defer func() {
		closeShop()
		err = errors.Join(err, <-shopClosed)
	}()

	if err := sleep(ctx, warmUp); err != nil {
		return err
	}
	market.SlowSQL()
	fmt.Print("One SQL query of order-api has become slow. The rules look every 10 s ...\n\n")

	waiting, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	link, err := awaitReport(waiting, visitor, uint32(first.Project.ID))
	if err != nil {
		if ctx.Err() == nil {
			err = fmt.Errorf("the report was not delivered within %s: %w", demoPatience, err)
		}
		return err
	}
	fmt.Printf("\nThe incident, with every sentence linked to its evidence:\n  %s%s\n", matrix.URL(), link)
	if c.Once {
		return nil
	}
	fmt.Println("The shop goes on until Ctrl-C; the demo keeps nothing.")
	select {
	case <-ctx.Done():
		return nil
	case err := <-matrix.Failed():
		return err
	case err := <-shopClosed:
		shopClosed <- nil // for the deferred receive
		return err
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func setLanguage(ctx context.Context, c *client.Client, project uint32, language string) error {
	path := fmt.Sprintf("/api/v1/projects/%d", project)
	var settings struct {
		Name          string `json:"name"`
		Language      string `json:"language"`
		RetentionDays int    `json:"retention_days"`
		SpanRate      int    `json:"span_rate"`
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
// first incident was delivered on every channel.
func awaitReport(ctx context.Context, c *client.Client, project uint32) (string, error) {
	list := fmt.Sprintf("/api/v1/projects/%d/incidents", project)
	last := errors.New("no incident was opened")
	for {
		id, state, err := reportState(ctx, c, list)
		switch {
		case err == nil && state == "delivered":
			return fmt.Sprintf("/projects/%d/incidents/%s", project, id), nil
		case err == nil && state == "failed":
			return "", errors.New("its delivery failed")
		case err == nil && state != "":
			last = fmt.Errorf("it is %s", state)
		case err != nil && ctx.Err() == nil:
			last = err
		}
		if sleep(ctx, 500*time.Millisecond) != nil {
			return "", last
		}
	}
}

// reportState returns the id of the newest incident and what became of its
// report: "" while there is no incident, else the state of its delivery.
func reportState(ctx context.Context, c *client.Client, list string) (id, state string, err error) {
	var incidents struct {
		Items []struct {
			ID int64 `json:"id"`
		} `json:"items"`
	}
	if _, err := c.Get(ctx, list, &incidents); err != nil || len(incidents.Items) == 0 {
		return "", "", err
	}
	id = strconv.FormatInt(incidents.Items[0].ID, 10)
	var detail struct {
		Deliveries []struct {
			Message string `json:"message"`
			State   string `json:"state"`
		} `json:"deliveries"`
	}
	if _, err := c.Get(ctx, list+"/"+id, &detail); err != nil {
		return "", "", err
	}
	for _, d := range detail.Deliveries {
		if d.Message == "incident.report" {
			return id, d.State, nil
		}
	}
	return id, "being analysed", nil
}
