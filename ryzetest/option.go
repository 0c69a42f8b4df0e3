package ryzetest

import (
	"net/http"
	"strconv"
	"time"
)

// An Option changes how a Server is built.
type Option func(*config)

type config struct {
	listen       string
	inMemory     bool
	tls          bool
	accountToken string
	quota        int
	globalLimit  int
	createLimit  int
	layout       Layout
	skews        []time.Duration
	withoutRate  []string
	reset        TimeForm
	retryAfter   TimeForm

	webhookClient  *http.Client
	webhookRetry   []time.Duration
	webhookTimeout time.Duration
	bareState      bool

	allowedOrigins []string
	exposeRate     bool
	bodyLimit      int64
	mediaLimit     int64
	mediaKeep      int64
	mediaDelay     time.Duration
	callEvents     bool
	noChatwoot     bool
	oldLibrary     bool
	bareQR         bool
	codeDelay      time.Duration
	reconnectDelay time.Duration
	autoPair       time.Duration
	notConnected   int
	tokenInData    bool
	observedStates bool
	deviceSuffix   string
	noEchoes       bool
	observer       func(Request)
	control        *controlConfig
}

func defaults() config {
	return config{
		listen:         "127.0.0.1:0",
		quota:          100,
		globalLimit:    100,
		createLimit:    20,
		layout:         LayoutLive,
		reset:          TimeUnix,
		webhookRetry:   []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute},
		webhookTimeout: 10 * time.Second,
		bodyLimit:      1 << 20,
		mediaLimit:     400 << 20,
		mediaKeep:      16 << 20,
		reconnectDelay: 200 * time.Millisecond,
		notConnected:   http.StatusServiceUnavailable,
	}
}

func configured(opts []Option) config {
	cfg := defaults()
	for _, o := range opts {
		o(&cfg)
	}
	return cfg
}

// InMemory serves over net.Pipe instead of a socket. The server, its webhook
// workers and its timers then work inside a testing/synctest bubble, where
// waiting costs no time, and leave it clean after Close. Requests must go
// through Server.HTTPClient, or a transport that dials with Server.DialContext;
// webhooks through WithWebhookHandler or WithWebhookClient.
func InMemory() Option { return func(c *config) { c.inMemory = true } }

// WithTLS serves https, with HTTP/2 for clients that offer it and HTTP/1.1 for the
// others and for event streams. Server.HTTPClient trusts the certificate and speaks
// HTTP/2; see Server.Certificate for other clients. It works with InMemory too.
func WithTLS() Option { return func(c *config) { c.tls = true } }

// WithListen sets the TCP address to listen on, "127.0.0.1:0" by default: a free
// port of this machine.
func WithListen(addr string) Option { return func(c *config) { c.listen = addr } }

// WithAccountToken sets the token of the main account, a random UUID by default.
func WithAccountToken(token string) Option { return func(c *config) { c.accountToken = token } }

// WithQuota caps the instances of the main account: one more is a 403. The
// default of 100 is an invention; the service's quota depends on the account.
func WithQuota(instances int) Option { return func(c *config) { c.quota = instances } }

// WithRateLimit sets the requests per minute and token of the global class, 100 by
// default. With -1 there is no limit, and the headers say -1. That the service
// has such plans, and what its headers say then, is not documented.
func WithRateLimit(perMinute int) Option { return func(c *config) { c.globalLimit = perMinute } }

// WithCreateRateLimit sets the requests per minute and token of
// POST /api/instance/new, 20 by default; -1 is as in WithRateLimit.
func WithCreateRateLimit(perMinute int) Option { return func(c *config) { c.createLimit = perMinute } }

// rateHeaders are the headers of the rate limit.
var rateHeaders = []string{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"}

// WithoutRateHeaders leaves these headers out of every reply ("X-RateLimit-Reset"),
// or all of the X-RateLimit-* headers without arguments.
func WithoutRateHeaders(names ...string) Option {
	return func(c *config) {
		c.withoutRate = nil
		for _, name := range names {
			c.withoutRate = append(c.withoutRate, http.CanonicalHeaderKey(name))
		}
		if len(names) == 0 {
			c.withoutRate = rateHeaders
		}
	}
}

// A TimeForm writes a moment into a header; now is the same clock's time.
type TimeForm func(t, now time.Time) string

// TimeUnix is Unix seconds, as the documentation has X-RateLimit-Reset.
func TimeUnix(t, _ time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// TimeUnixMillis is Unix milliseconds.
func TimeUnixMillis(t, _ time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// TimeDelta is the seconds that are left.
func TimeDelta(t, now time.Time) string {
	return strconv.FormatInt(int64((t.Sub(now)+time.Second-1)/time.Second), 10)
}

// TimeDeltaMillis is the milliseconds that are left.
func TimeDeltaMillis(t, now time.Time) string {
	return strconv.FormatInt(t.Sub(now).Milliseconds(), 10)
}

// TimeISO is a date of RFC 3339, in UTC.
func TimeISO(t, _ time.Time) string { return utc(t) }

// TimeHTTP is a date as in the header Date.
func TimeHTTP(t, _ time.Time) string { return t.UTC().Format(http.TimeFormat) }

// WithReset sets the form of X-RateLimit-Reset: TimeUnix, the documented one, by
// default. The others are not documented; a client may meet them behind a proxy
// or after a change. A form that returns "" leaves the header out.
func WithReset(f TimeForm) Option { return func(c *config) { c.reset = f } }

// WithRelativeReset is WithReset(TimeDelta).
func WithRelativeReset() Option { return WithReset(TimeDelta) }

// WithRetryAfter adds Retry-After to the 429 of the rate limit, in this form:
// TimeDelta and TimeHTTP are those of RFC 9110. The service is not known to send it.
func WithRetryAfter(f TimeForm) Option { return func(c *config) { c.retryAfter = f } }

// WithClockSkew sets how far the server's clock, as seen in the Date and
// X-RateLimit-Reset headers, runs ahead of the real time (behind, when negative).
// Several values are the clocks of as many servers, which answer in turn. See
// Server.SetClockSkew for a clock that is set while the server runs.
func WithClockSkew(skews ...time.Duration) Option { return func(c *config) { c.skews = skews } }

// A Layout is one of the two shapes of message.exchange events.
type Layout string

const (
	// LayoutLive is what the running service was seen to send: the identity of
	// the message on data, its content in data.message, content a string,
	// absent parts null, timestamps with an offset.
	LayoutLive Layout = "live"
	// LayoutDocumented is what the documentation shows: everything below
	// data.message, bare digits as JIDs, content an object, absent parts left
	// out, timestamps in UTC.
	LayoutDocumented Layout = "documented"
)

// WithLayout sets the shape of message.exchange events, LayoutLive by default.
func WithLayout(l Layout) Option { return func(c *config) { c.layout = l } }

// WithWebhookClient sets how webhook deliveries leave. Without it they reach
// loopback addresses only, and follow no redirect.
func WithWebhookClient(client *http.Client) Option {
	return func(c *config) { c.webhookClient = client }
}

// WithWebhookHandler makes h the receiver of every webhook delivery, whatever
// its URL, without any network. With InMemory it is the simplest way to receive.
func WithWebhookHandler(h http.Handler) Option {
	return WithWebhookClient(&http.Client{
		Transport:     handlerTransport{h},
		CheckRedirect: noRedirect,
	})
}

// WithWebhookRetry sets the pauses before the second, third, ... attempt of a
// webhook delivery; after the last one it becomes a DeadLetter. The service
// documents that it retries with backoff and keeps a dead letter queue, not
// the schedule: the default (1 s, 5 s, 30 s, 2 min, 10 min) is an invention of
// the simulator. Without arguments a failed delivery is dead at once.
func WithWebhookRetry(pauses ...time.Duration) Option {
	return func(c *config) { c.webhookRetry = pauses }
}

// WithWebhookTimeout limits one attempt of a webhook delivery. The service's
// own limit is not documented; the default of 10 s is an invention.
func WithWebhookTimeout(d time.Duration) Option {
	return func(c *config) { c.webhookTimeout = d }
}

// WithoutStateAuthorization delivers instance.state without the Authorization
// header, as one client of the service reported.
func WithoutStateAuthorization() Option { return func(c *config) { c.bareState = true } }

// WithAllowedOrigins sets the browser origins ("https://app.example.com") that
// are authorised for the accounts; none by default.
func WithAllowedOrigins(origins ...string) Option {
	return func(c *config) { c.allowedOrigins = origins }
}

// WithExposedRateHeaders lets scripts of the allowed origins read the rate headers:
// their replies carry Access-Control-Expose-Headers. Without it, which is the
// default, a browser hides these headers from a script. The service's own
// Access-Control headers are not documented.
func WithExposedRateHeaders() Option { return func(c *config) { c.exposeRate = true } }

// WithBodyLimits sets the largest request body in bytes: of ordinary routes
// (1 MiB by default) and of those that carry media (400 MiB). The service's own
// limits are not documented.
func WithBodyLimits(ordinary, media int64) Option {
	return func(c *config) { c.bodyLimit, c.mediaLimit = ordinary, media }
}

// WithMediaKeep sets up to which size, in bytes, the content of a media is
// kept (16 MiB by default). Of larger ones only size and hash are known, and
// their events carry no base64.
func WithMediaKeep(n int64) Option { return func(c *config) { c.mediaKeep = n } }

// WithMediaDelay sets how long the service takes to store the media of a
// message, 0 by default: until then GET /api/chat/base64 answers 404.
func WithMediaDelay(d time.Duration) Option { return func(c *config) { c.mediaDelay = d } }

// WithCallEvents emits call.update for calls that an instance places: "offer",
// and "terminated" once a fake call has rung. The service documents the values
// of the status only; every key of the event's data, status included, is an
// invention of the simulator.
func WithCallEvents() Option { return func(c *config) { c.callEvents = true } }

// WithoutChatwoot plays a server on which the Chatwoot module is off: its
// routes answer 503, whatever the instance.
func WithoutChatwoot() Option { return func(c *config) { c.noChatwoot = true } }

// WithOldLibrary plays a server whose WhatsApp library cannot look newsletters
// up, nor leave them: these routes answer 501.
func WithOldLibrary() Option { return func(c *config) { c.oldLibrary = true } }

// WithoutQRPrefix sends qrCodeBase64 without "data:image/png;base64,".
func WithoutQRPrefix() Option { return func(c *config) { c.bareQR = true } }

// WithCodeDelay makes connect wait this long before it answers with a code; not
// at all by default.
func WithCodeDelay(d time.Duration) Option { return func(c *config) { c.codeDelay = d } }

// WithReconnectDelay sets how long an instance stays "connecting" after a
// reconnect. The default of 200 ms is an invention.
func WithReconnectDelay(d time.Duration) Option { return func(c *config) { c.reconnectDelay = d } }

// WithAutoPair pairs every instance by itself, this long after its connect, for
// programs without a test that calls Instance.Pair.
func WithAutoPair(d time.Duration) Option { return func(c *config) { c.autoPair = max(d, 1) } }

// WithNotConnectedStatus sets the status of "Instance is not connected to
// WhatsApp": 503 (default) or 400. The service documents both. Routes whose
// pages name one keep it: 503 in the chat module, 400 in those of groups,
// communities and newsletters.
func WithNotConnectedStatus(status int) Option { return func(c *config) { c.notConnected = status } }

// WithTokenInData puts the token of a new instance at data.token, as the
// authentication guide says, instead of instance.token.
func WithTokenInData() Option { return func(c *config) { c.tokenInData = true } }

// WithObservedStates lets the list use the state words that clients have seen
// beside the documented ones: "qr" while a code is shown, "closed" once it
// expired unused.
func WithObservedStates() Option { return func(c *config) { c.observedStates = true } }

// WithDeviceSuffix adds ":<n>" to the user part of numberJid in the list of
// instances, as clients have seen it.
func WithDeviceSuffix(n string) Option { return func(c *config) { c.deviceSuffix = n } }

// WithoutEchoes emits no message.exchange for messages sent through the API.
func WithoutEchoes() Option { return func(c *config) { c.noEchoes = true } }

// WithObserver calls fn for each request once it was answered (or dropped), and for
// an event stream once it is open, from the goroutine that serves it.
func WithObserver(fn func(Request)) Option { return func(c *config) { c.observer = fn } }
