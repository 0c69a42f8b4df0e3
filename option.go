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

// DefaultBaseURL is the address of the service.
const DefaultBaseURL = "https://ryzeapi.cloud"

// Version is the version of this package. The User-Agent header has it.
const Version = "0.1.0"

// Option configures a [Client]. A bad value is a [*ValidationError] of [New].
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

// WithBaseURL sets scheme, host and port of the service, such as the
// simulator's, without a path, credentials or a query. http needs a loopback
// address or [WithInsecureHTTP].
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

// WithInsecureHTTP allows http to another machine. Tokens and messages then
// travel in clear text.
func WithInsecureHTTP() Option {
	return clientOption(func(c *config) error {
		c.insecure = true
		return nil
	})
}

// WithHTTPClient sets the HTTP client that carries the requests, for a proxy,
// tracing or a test. Its Timeout limits each attempt too. Its CheckRedirect and
// Jar are not used. Its Transport must not repeat requests: one that hides
// httptrace would send twice.
func WithHTTPClient(client *http.Client) Option {
	return clientOption(func(c *config) error {
		if client == nil {
			return invalid("WithHTTPClient", "was given no client")
		}
		c.http = client
		return nil
	})
}

// WithLogger sets the logger: Debug for attempts, Warn for repetitions and
// waits. Records have no token, query, header or body; errors keep the service's
// words. Without it only panics are logged, as net/http does.
func WithLogger(logger *slog.Logger) Option {
	return clientOption(func(c *config) error {
		if logger == nil {
			return invalid("WithLogger", "was given no logger")
		}
		c.logger = logger
		return nil
	})
}

// RetryPolicy sets how often and how long a [Client] tries. Zero fields have
// defaults. It does not change what may be repeated; see [Operation].
type RetryPolicy struct {
	// MaxAttempts is the number of attempts of one call, with the first,
	// without those that met the rate limit. Default 4; 1 never repeats.
	MaxAttempts int
	// MinBackoff and MaxBackoff bound the pause before a repetition. The pause
	// is random, below a bound that doubles each time (full jitter). Defaults
	// 500 ms and 10 s.
	MinBackoff, MaxBackoff time.Duration
	// MaxRateLimitWait limits a call's whole wait for quota. Default five
	// minutes; negative never waits. A longer wait, or one past the context's
	// deadline, is a [*RateLimitError] at once.
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

// WithLimiter sets the limiter of all requests of the client.
func WithLimiter(limiter Limiter) Option {
	return clientOption(func(c *config) error {
		if isNil(limiter) {
			return invalid("WithLimiter", "was given no limiter")
		}
		c.limiter = limiter
		return nil
	})
}

// WithReserve keeps n requests of each window for calls above [PriorityNormal];
// see [WithPriority]. Other calls wait when n or fewer remain. Unused ones are
// lost. The most is half of a window; the default is 0.
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

// WithSource sets the label of each message, unless the send names another. The
// message's event repeats it, which tells own messages from others. The default
// is "ryze-go".
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

// WithBearerAuth sends tokens as "Authorization: Bearer" instead of the token
// header.
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
