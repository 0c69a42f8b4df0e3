package ryze

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// DefaultBaseURL is where the service lives.
const DefaultBaseURL = "https://ryzeapi.cloud"

// Version is the version of this package, as sent in the User-Agent header.
const Version = "0.1.0"

// Option configures a [Client]. An option that is given a bad value returns a
// [*ValidationError], which [New] passes on.
type Option interface {
	applyToClient(*config) error
}

type clientOption func(*config) error

func (o clientOption) applyToClient(c *config) error { return o(c) }

type config struct {
	base      *url.URL
	insecure  bool
	http      *http.Client
	logger    *slog.Logger
	retry     RetryPolicy
	limiter   Limiter
	reserve   int // requests of each window that urgent calls alone may use
	source    string
	userAgent string
	bearer    bool
	observer  *Observer // nil when nobody observes
}

// WithBaseURL sets the scheme, host and port of the service, for example that
// of the simulator. It must have nothing else: no path, no credentials, no
// query. The scheme is https; http is accepted for loopback addresses, and for
// any host together with [WithInsecureHTTP].
func WithBaseURL(base string) Option {
	return clientOption(func(c *config) error {
		u, err := parseBaseURL(base)
		if err != nil {
			return err
		}
		c.base = u
		return nil
	})
}

// WithInsecureHTTP allows plain http to a host that is not this machine.
// Tokens and messages then travel in clear text.
func WithInsecureHTTP() Option {
	return clientOption(func(c *config) error {
		c.insecure = true
		return nil
	})
}

// WithHTTPClient sets the HTTP client whose transport carries the requests, for
// a proxy, tracing or a test. The client is not changed. Its Timeout, if it has
// one, limits each attempt in addition to the limit of the operation; its
// CheckRedirect and Jar are not used, because redirects are never followed and
// the service knows no cookies.
func WithHTTPClient(client *http.Client) Option {
	return clientOption(func(c *config) error {
		if client == nil {
			return invalid("WithHTTPClient", "was given no client")
		}
		c.http = client
		return nil
	})
}

// WithLogger sets where the package logs: one Debug record for each attempt,
// one Warn record for each repetition and wait. Records carry the operation,
// the status and durations; never a token, a URL's query, a header or a body.
// Without it nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return clientOption(func(c *config) error {
		if logger == nil {
			return invalid("WithLogger", "was given no logger")
		}
		c.logger = logger
		return nil
	})
}

// RetryPolicy says how patient a [Client] is. Fields that are zero have the
// default. What may be repeated at all is not a matter of policy: sends and
// creations are repeated only when it is certain that they were not accepted.
type RetryPolicy struct {
	// MaxAttempts counts the attempts of one call, the first included, not
	// counting those that met the rate limit. Default 4; 1 never repeats.
	MaxAttempts int
	// MinBackoff and MaxBackoff bound the pause before a repetition, which is
	// drawn between nothing and a bound that doubles each time (full jitter).
	// Defaults 500 ms and 10 s.
	MinBackoff, MaxBackoff time.Duration
	// MaxRateLimitWait is how long one call may wait for quota, in all.
	// Default five minutes; negative never waits. A wait that would be longer,
	// or outlast the context, is a [*RateLimitError] at once.
	MaxRateLimitWait time.Duration
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 4
	}
	if p.MinBackoff == 0 {
		p.MinBackoff = 500 * time.Millisecond
	}
	if p.MaxBackoff == 0 {
		p.MaxBackoff = max(10*time.Second, p.MinBackoff)
	}
	if p.MaxRateLimitWait == 0 {
		p.MaxRateLimitWait = defaultRateLimitWait
	}
	return p
}

// WithRetry sets the retry policy.
func WithRetry(policy RetryPolicy) Option {
	return clientOption(func(c *config) error {
		switch p := policy.withDefaults(); {
		case p.MaxAttempts < 1:
			return invalid("RetryPolicy.MaxAttempts", "is negative")
		case p.MinBackoff < 0 || p.MaxBackoff < p.MinBackoff:
			return invalid("RetryPolicy", "has a MaxBackoff below MinBackoff, or a negative one")
		}
		c.retry = policy
		return nil
	})
}

// WithLimiter sets the limiter that meters all requests of the client, in
// place of the one it makes for itself.
func WithLimiter(limiter Limiter) Option {
	return clientOption(func(c *config) error {
		if limiter == nil {
			return invalid("WithLimiter", "was given no limiter")
		}
		c.limiter = limiter
		return nil
	})
}

// WithReserve keeps n requests of each window for calls of a higher priority than
// [PriorityNormal]; see [WithPriority]. The others wait for the next window as soon
// as no more than n remain, so that a one-time password never waits for it. What
// is kept and not needed is lost. At most half of a window is kept. The default is 0.
func WithReserve(n int) Option {
	return clientOption(func(c *config) error {
		if n < 0 {
			return invalid("WithReserve", "is negative")
		}
		c.reserve = n
		return nil
	})
}

// reserveFor is what a call leaves in the window.
func (c *config) reserveFor(p Priority) int {
	if p > PriorityNormal {
		return 0
	}
	return c.reserve
}

// WithSource sets the label that every message carries unless the send names
// another. The service stores it and repeats it in the message's own event,
// which is how an application tells its messages from those that a person
// typed on the phone; see [MessageEvent]. The default is "ryze-go".
func WithSource(source string) Option {
	return clientOption(func(c *config) error {
		if err := checkText("source", source); err != nil {
			return err
		}
		c.source = source
		return nil
	})
}

// WithUserAgent puts a product name in front of the User-Agent header, such as
// "acme-crm/2.1".
func WithUserAgent(product string) Option {
	return clientOption(func(c *config) error {
		if err := checkText("user agent", product); err != nil {
			return err
		}
		if strings.ContainsFunc(product, func(r rune) bool { return r > unicode.MaxASCII }) {
			return invalid("user agent", "has characters outside ASCII")
		}
		c.userAgent = product
		return nil
	})
}

// WithBearerAuth sends tokens as "Authorization: Bearer", the compatibility
// form, instead of the token header.
func WithBearerAuth() Option {
	return clientOption(func(c *config) error {
		c.bearer = true
		return nil
	})
}

func newConfig(opts []Option) (*config, error) {
	c := &config{
		base:   &url.URL{Scheme: "https", Host: "ryzeapi.cloud"},
		source: "ryze-go",
	}
	if err := applyOptions(opts, func(o Option) error { return o.applyToClient(c) }); err != nil {
		return nil, err
	}
	if c.base.Scheme == "http" && !c.insecure && !isLoopback(c.base.Hostname()) {
		return nil, invalid("base URL", "has the scheme http, which would send tokens in clear text; use https, or WithInsecureHTTP")
	}
	if c.http == nil {
		c.http = &http.Client{Transport: defaultTransport()}
	}
	c.retry = c.retry.withDefaults()
	if c.limiter == nil {
		c.limiter = NewMemoryLimiter(max(c.retry.MaxRateLimitWait, 1))
	}
	return c, nil
}

// A connection on which nothing was read for pingAfter is pinged, and given up
// when no answer comes within pingWait.
const (
	pingAfter = 15 * time.Second
	pingWait  = 10 * time.Second
)

// defaultTransport is the standard library's with room for more connections to
// one host, since there is only one.
func defaultTransport() *http.Transport {
	var t *http.Transport
	if std, ok := http.DefaultTransport.(*http.Transport); ok { //nolint:forbidigo // only its settings are taken
		t = std.Clone()
	} else {
		t = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: 10 * time.Second,
			IdleConnTimeout:     90 * time.Second,
		}
	}
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256
	// Nobody answers on an HTTP/2 connection whose path has died, and net/http
	// goes on using it: pings find that out.
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingWait}
	t.MaxResponseHeaderBytes = 256 << 10
	return t
}

func parseBaseURL(base string) (*url.URL, error) {
	const field = "base URL"
	if base != strings.TrimSpace(base) || base == "" {
		return nil, invalid(field, "is empty or has blanks around it")
	}
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return nil, invalid(field, "is not a URL") // the parser's error repeats it, credentials and all
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, invalid(field, "must begin with https://")
	case u.Hostname() == "":
		return nil, invalid(field, "has no host")
	case u.User != nil:
		return nil, invalid(field, "has credentials; tokens are given to the handles")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(base, "#"):
		return nil, invalid(field, "has a query or a fragment")
	case u.Path != "" && u.Path != "/":
		return nil, invalid(field, "has a path; the service's routes begin at the root of the host")
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
