package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// maxRetryAfter bounds what a receiver may ask for, so that one strange header
// does not put a delivery to sleep past its end.
const maxRetryAfter = time.Hour

// StatusFault turns the status of an HTTP answer into a fault, nil for 2xx.
// 408, 429 and 5xx are worth another attempt, not before Retry-After;
// everything else is final.
func StatusFault(status int, header http.Header) error {
	after := retryAfter(header)
	switch {
	case status/100 == 2:
		return nil
	case status == http.StatusTooManyRequests:
		return fault.New(fault.RateLimited, "the receiver limits the rate (429)").WithRetryAfter(after)
	case status == http.StatusRequestTimeout, status/100 == 5:
		return fault.New(fault.Unavailable, "the receiver answered %d", status).WithRetryAfter(after)
	case status/100 == 3:
		return fault.New(fault.Invalid, "the receiver answered %d: redirects are not followed, set the final address", status)
	}
	return fault.New(fault.Invalid, "the receiver answered %d", status)
}

// TransportFault turns an error of http.Client.Do into a fault whose message
// names neither the address (which may be a secret, as with Slack) nor what
// lies behind it. It returns nil for nil.
func TransportFault(err error) error {
	if err == nil {
		return nil
	}
	if f := fault.As(err); f != nil { // the guard's refusal
		return f
	}
	// *url.Error carries the whole address: its cause is kept, it is not.
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var (
		name    *net.DNSError
		timeout net.Error
		cert    *tls.CertificateVerificationError
	)
	why := "the connection broke"
	switch {
	case errors.Is(err, context.Canceled):
		why = "the attempt was stopped"
	case errors.As(err, &name):
		why = "the host name does not resolve"
	case errors.Is(err, syscall.ECONNREFUSED):
		why = "the connection was refused"
	case errors.As(err, &cert):
		why = "the certificate is not valid"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		why = "no answer in time"
	}
	return fault.Wrap(err, fault.Unavailable, "%s", why)
}

// retryAfter reads Retry-After in seconds. As a date it counts from the
// receiver's own Date, so that a wrong clock on either side does not matter.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	var wait time.Duration
	if seconds, err := strconv.Atoi(value); err == nil {
		wait = time.Duration(min(seconds, int(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		if sent, err := http.ParseTime(header.Get("Date")); err == nil {
			wait = at.Sub(sent)
		}
	}
	return max(0, min(wait, maxRetryAfter))
}

// temporary reports whether another attempt may succeed.
func temporary(err error) bool {
	switch fault.KindOf(err) {
	case fault.RateLimited, fault.Unavailable, fault.Internal:
		return true
	}
	return false
}

// reason is what people may read of an error.
func reason(err error) string {
	if f := fault.As(err); f != nil {
		return f.Message
	}
	return "the channel failed unexpectedly"
}
