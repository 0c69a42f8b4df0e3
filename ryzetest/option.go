package ryzetest

import (
	"io"
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
	noHTTP2      bool
	accountToken string
	tokens       func(name string) string
	state        io.Reader
	quota        int
	globalLimit  int
	createLimit  int
	rateWindow   time.Duration
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
	receipts       Receipts
	observer       func(Request)
	control        *controlConfig
}

func defaults() config {
	return config{
		listen:         "127.0.0.1:0",
		quota:          100,
		globalLimit:    100,
		createLimit:    20,
		rateWindow:     windowLength,
		layout:         LayoutLive,
		reset:          TimeUnix,
		webhookRetry:   []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute},
		webhookTimeout: 10 * time.Second,
		bodyLimit:      1 << 20,
		mediaLimit:     400 << 20,
		mediaKeep:      16 << 20,
		reconnectDelay: 200 * time.Millisecond,
		notConnected:   http.StatusServiceUnavailable,
		receipts:       defaultReceipts,
	}
}

func configured(opts []Option) config {
	cfg := defaults()
	for _, o := range opts {
		o(&cfg)
	}
	return cfg
}

// InMemory serves over net.Pipe instead of a socket, also inside a
// testing/synctest bubble, where waiting costs no time. Requests must use
// Server.HTTPClient or Server.DialContext. Webhooks need WithWebhookHandler or
// WithWebhookClient.
func InMemory() Option { return func(c *config) { c.inMemory = true } }

// WithTLS serves https, with HTTP/2 where the client offers it, and HTTP/1.1
// for others and for event streams. Server.HTTPClient trusts the certificate;
// for others see Server.Certificate.
func WithTLS() Option { return func(c *config) { c.tls = true } }

// WithoutHTTP2 makes a server of WithTLS speak HTTP/1.1 alone.
func WithoutHTTP2() Option { return func(c *config) { c.noHTTP2 = true } }

// WithListen sets the TCP address to listen on, "127.0.0.1:0" by default: a free
// port of this machine.
func WithListen(addr string) Option { return func(c *config) { c.listen = addr } }

// WithAccountToken sets the token of the main account, a random UUID by default.
func WithAccountToken(token string) Option { return func(c *config) { c.accountToken = token } }

// WithInstanceTokens sets the tokens of new instances without a token in their
// request: f gets the name. A token that is empty or taken becomes a random
// UUID, which is the default.
func WithInstanceTokens(f func(name string) string) Option {
	return func(c *config) { c.tokens = f }
}

// WithState begins with what Server.Save wrote: accounts, instances, chats,
// contacts, rate windows and the clock's offset. The token of WithAccountToken
// and other options win.
//
// Start returns an error, and NewServer panics, when the state is incomplete or
// of a newer version. Use an Option once: it has read its state.
func WithState(r io.Reader) Option { return func(c *config) { c.state = r } }

// WithQuota limits the instances of the main account; one more is a 403. The
// default of 100 is invented.
func WithQuota(instances int) Option { return func(c *config) { c.quota = instances } }

// WithRateLimit sets the requests per minute and token of the global class: 100
// by default. With -1 there is no limit and the headers say -1 (invented).
func WithRateLimit(perMinute int) Option { return func(c *config) { c.globalLimit = perMinute } }

// WithCreateRateLimit sets the requests per minute and token of
// POST /api/instance/new, 20 by default; -1 is as in WithRateLimit.
func WithCreateRateLimit(perMinute int) Option { return func(c *config) { c.createLimit = perMinute } }

// WithRateWindow sets the length of rate windows: a minute by default, in whole
// seconds, at least one. Short ones suit tests in real time.
func WithRateWindow(d time.Duration) Option {
	return func(c *config) { c.rateWindow = max(d.Truncate(time.Second), time.Second) }
}

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

// TimeUnix is Unix seconds, the documented form of X-RateLimit-Reset.
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

// WithReset sets the form of X-RateLimit-Reset: TimeUnix by default, the
// documented one. The others may come from a proxy or after a change. A form
// that returns "" leaves the header out.
func WithReset(f TimeForm) Option { return func(c *config) { c.reset = f } }

// WithRelativeReset is WithReset(TimeDelta).
func WithRelativeReset() Option { return WithReset(TimeDelta) }

// WithRetryAfter adds Retry-After to the 429 of the rate limit, in this form.
// RFC 9110 has TimeDelta and TimeHTTP. For the service see
// docs/service-notes.md.
func WithRetryAfter(f TimeForm) Option { return func(c *config) { c.retryAfter = f } }

// WithClockSkew sets how far the server's clock is ahead, in Date and
// X-RateLimit-Reset; negative is behind. Several values are servers that answer
// in turn. Server.SetClockSkew changes it later.
func WithClockSkew(skews ...time.Duration) Option { return func(c *config) { c.skews = skews } }

// A Layout is one of the two shapes of message.exchange events.
type Layout string

const (
	// LayoutLive is the layout of the running service: the identity on data,
	// the content in data.message as a string, absent parts null, times with an
	// offset.
	LayoutLive Layout = "live"
	// LayoutDocumented is the layout of the documentation: everything below
	// data.message, bare digits as JIDs, content an object, absent parts left
	// out, times in UTC.
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

// WithWebhookRetry sets the pauses before further attempts of a webhook
// delivery. After the last one it becomes a DeadLetter. Without arguments a
// failed delivery is dead at once. The default is invented: 1 s, 5 s, 30 s, 2
// min, 10 min.
func WithWebhookRetry(pauses ...time.Duration) Option {
	return func(c *config) { c.webhookRetry = pauses }
}

// WithWebhookTimeout limits one attempt of a webhook delivery. The default of
// 10 s is invented.
func WithWebhookTimeout(d time.Duration) Option {
	return func(c *config) { c.webhookTimeout = d }
}

// WithoutStateAuthorization sends instance.state without the Authorization
// header; see docs/service-notes.md.
func WithoutStateAuthorization() Option { return func(c *config) { c.bareState = true } }

// WithAllowedOrigins sets the browser origins ("https://app.example.com") that
// are authorised for the accounts; none by default.
func WithAllowedOrigins(origins ...string) Option {
	return func(c *config) { c.allowedOrigins = origins }
}

// WithExposedRateHeaders lets scripts of the allowed origins read the rate
// headers, by Access-Control-Expose-Headers. By default a browser hides them.
// For the service see docs/service-notes.md.
func WithExposedRateHeaders() Option { return func(c *config) { c.exposeRate = true } }

// WithBodyLimits sets the largest request body, in bytes: 1 MiB by default, and
// 400 MiB for routes with media (both invented).
func WithBodyLimits(ordinary, media int64) Option {
	return func(c *config) { c.bodyLimit, c.mediaLimit = ordinary, media }
}

// WithMediaKeep sets the largest media to keep, in bytes: 16 MiB by default.
// Larger ones have only size and hash, and no base64 in events.
func WithMediaKeep(n int64) Option { return func(c *config) { c.mediaKeep = n } }

// WithMediaDelay sets how long the service takes to store the media of a
// message, 0 by default: until then GET /api/chat/base64 answers 404.
func WithMediaDelay(d time.Duration) Option { return func(c *config) { c.mediaDelay = d } }

// WithCallEvents sends call.update for calls of an instance: "offer", and
// "terminated" after a fake call has rung. Only the values of the status are
// documented; the keys are invented.
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

// WithReconnectDelay sets how long a reconnect takes: 200 ms by default
// (invented).
func WithReconnectDelay(d time.Duration) Option { return func(c *config) { c.reconnectDelay = d } }

// WithAutoPair pairs every instance by itself, this long after its connect, for
// programs without a test that calls Instance.Pair.
func WithAutoPair(d time.Duration) Option { return func(c *config) { c.autoPair = max(d, 1) } }

// WithNotConnectedStatus sets the status of "Instance is not connected to
// WhatsApp": 503 by default, or 400. Both are documented. The chat module
// always has 503; groups, communities and newsletters have 400.
func WithNotConnectedStatus(status int) Option { return func(c *config) { c.notConnected = status } }

// WithTokenInData puts a new instance's token at data.token instead of
// instance.token. Both are documented.
func WithTokenInData() Option { return func(c *config) { c.tokenInData = true } }

// WithObservedStates adds two state words to the list: "qr" while a code is
// shown, "closed" after it expired. See docs/service-notes.md.
func WithObservedStates() Option { return func(c *config) { c.observedStates = true } }

// WithDeviceSuffix adds ":<n>" to the user part of numberJid in the list of
// instances; see docs/service-notes.md.
func WithDeviceSuffix(n string) Option { return func(c *config) { c.deviceSuffix = n } }

// WithoutEchoes emits no message.exchange for messages sent through the API.
func WithoutEchoes() Option { return func(c *config) { c.noEchoes = true } }

// WithReceipts is Instance.SetDelivery for every instance that is made from now on.
func WithReceipts(r Receipts) Option { return func(c *config) { c.receipts = r } }

// WithObserver sets a function that is called for each request after its answer
// (or drop), and for an event stream when it is open. It runs in the goroutine
// of the request.
func WithObserver(fn func(Request)) Option { return func(c *config) { c.observer = fn } }
