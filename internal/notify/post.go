package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// Answer is what a receiver said to a request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most 64 KiB of it
}

// Post sends payload as JSON to address and returns the answer, of whatever
// status. An error is a fault that names neither the address nor a header.
func Post(ctx context.Context, client *http.Client, address string, header http.Header, payload any) (Answer, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return Answer{}, fault.Wrap(err, fault.Invalid, "the message cannot be written as JSON")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fault.New(fault.Invalid, "the address is not one")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "MATRIX/1")
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, TransportFault(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return Answer{}, TransportFault(err)
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: answer}, nil
}

// ReadConfig decodes raw into into, which has no other fields; usage shows the
// shape in the fault.Invalid of one that does not fit.
func ReadConfig(raw json.RawMessage, into any, usage string) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fault.New(fault.Invalid, "config must be %s", usage).WithField("config")
	}
	return nil
}

// CheckAddress refuses what is no http or https address, one with a user name
// in it, and a literal address the guard does not allow.
func (g Guard) CheckAddress(address, field string) error {
	to, err := url.Parse(address)
	switch {
	case err != nil, to.Scheme != "https" && to.Scheme != "http", to.Hostname() == "":
		return fault.New(fault.Invalid, "%s must be an http or https address", field).WithField("config." + field)
	case to.User != nil:
		return fault.New(fault.Invalid, "%s must not carry a user name or password", field).WithField("config." + field)
	}
	if addr, err := netip.ParseAddr(to.Hostname()); err == nil && !g.Allows(addr) {
		return fault.New(fault.Invalid, "%s points to an address that is not allowed", field).WithField("config." + field)
	}
	return nil
}
