package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// settings are what the flags say.
type settings struct {
	addr, token, cert, state   string
	secure, http2, control     bool
	console, quiet, logText    bool
	demo                       bool
	lang                       string
	instances                  []string
	quota                      int
	autoPair                   time.Duration
	receipts                   string
	rate, createRate           int
	rateWindow                 time.Duration
	noRate                     []string
	reset, retryAfter          string
	skews                      []time.Duration
	stranger                   float64
	origins                    []string
	exposeRate                 bool
	layout                     string
	targets                    string
	webhookRetry               []time.Duration
	webhookTimeout             time.Duration
	bareState, noEchoes, calls bool

	bodyLimit, mediaBodyLimit, mediaKeep int64
	mediaDelay                           time.Duration

	bareQR, tokenInData, observedStates bool
	codeDelay, reconnectDelay           time.Duration
	notConnected                        int
	deviceSuffix                        string
	noChatwoot, oldLibrary              bool
}

func (c *settings) declare(f *flagSet) {
	f.group("The server")
	f.text(&c.addr, "addr", "127.0.0.1:8484", "`ADDRESS` to listen on")
	f.text(&c.token, "token", "", "account `TOKEN`, on loopback only; elsewhere it is that of RYZESIM_TOKEN, or random")
	f.text(&c.state, "state", "", "`FILE` that keeps everything for the next start")
	f.yes(&c.secure, "tls", "serve https with a certificate made at the start")
	f.text(&c.cert, "cert", "", "`FILE` for the certificate of -tls, in PEM, for clients to trust (a temporary one)")
	f.yes(&c.http2, "http2", "speak HTTP/2 with -tls, which is so unless it is false; without TLS it is refused")
	f.yes(&c.demo, "demo", "play a little shop: two numbers, customers who write by themselves, a bot that answers")
	f.text(&c.lang, "lang", "", "`LANGUAGE` of -demo, en or pt (by LANG)")

	f.group("What is printed and read")
	f.yes(&c.console, "console", "read commands that play the phone from standard input")
	f.yes(&c.quiet, "quiet", "do not log requests")
	f.yes(&c.logText, "log-text", "log the recipient and the text of each request too")

	f.group("The account and its instances")
	f.list(&c.instances, "instance", "create these instances (`NAME,...`), already connected")
	f.count(&c.quota, "quota", 100, "instances that the account may have")
	f.wait(&c.autoPair, "auto-pair", 0, "pair each connecting instance after this long (0: never)")
	f.wait(&c.codeDelay, "code-delay", 0, "how long connect waits before it answers with a code")
	f.wait(&c.reconnectDelay, "reconnect-delay", 200*time.Millisecond, "how long an instance is connecting after a reconnect")
	f.text(&c.receipts, "receipts", "50ms,150ms", "`WHEN` customers receive, read and play a message: up to three durations, none for never, or off")
	f.yes(&c.tokenInData, "token-in-data", "put the token of a new instance at data.token")
	f.yes(&c.observedStates, "observed-states", "list the states qr and closed, too")
	f.text(&c.deviceSuffix, "device-suffix", "", "add :`NUMBER` to numberJid")
	f.yes(&c.bareQR, "without-qr-prefix", "send qrCodeBase64 without data:image/png;base64,")
	f.count(&c.notConnected, "not-connected-status", http.StatusServiceUnavailable, "status of an instance that is not connected, 503 or 400")

	f.group("Rate limits and clocks")
	f.count(&c.rate, "rate", 100, "requests per minute and token (-1: no limit)")
	f.count(&c.createRate, "create-rate", 20, "instance creations per minute and token (-1: no limit)")
	f.wait(&c.rateWindow, "rate-window", time.Minute, "how long the windows of the rate limit are, in whole seconds")
	f.share(&c.stranger, "stranger", "`SHARE` of further requests that another program spends for each one counted")
	f.list(&c.noRate, "without-rate-headers", "leave these `HEADER,...` out: limit, remaining, reset, or all")
	f.text(&c.reset, "reset", "unix", "`FORM` of X-RateLimit-Reset: "+strings.Join(timeFormNames(), ", "))
	f.text(&c.retryAfter, "retry-after", "", "`FORM` of Retry-After on a 429, as with -reset (not sent)")
	f.waits(&c.skews, "clock-skew", "how far the clocks of replies run ahead: `DURATION,...` of servers that answer in turn")

	f.group("Browsers")
	f.list(&c.origins, "allow-origin", "let scripts of these origins call the API (`ORIGIN,...`)")
	f.yes(&c.exposeRate, "expose-rate-headers", "let these scripts read the rate headers")
	f.yes(&c.control, "control", "serve the page and its control API, which is so on loopback unless it is false")

	f.group("Events")
	f.text(&c.layout, "layout", string(ryzetest.LayoutLive), "shape of message.exchange events: live or documented")
	f.text(&c.targets, "webhook-targets", "loopback", "where webhooks may be delivered: loopback or any")
	c.webhookRetry = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}
	f.waits(&c.webhookRetry, "webhook-retry", "`PAUSE,...` before further attempts of a webhook delivery, or none")
	f.wait(&c.webhookTimeout, "webhook-timeout", 10*time.Second, "time limit of one attempt")
	f.yes(&c.bareState, "without-state-authorization", "deliver instance.state without the Authorization header")
	f.yes(&c.noEchoes, "without-echoes", "emit no event for messages sent through the API")
	f.yes(&c.calls, "call-events", "emit call.update for calls that an instance places")

	f.group("Media and bodies")
	f.size(&c.bodyLimit, "body-limit", 1<<20, "largest request body of ordinary routes, in bytes")
	f.size(&c.mediaBodyLimit, "media-body-limit", 400<<20, "largest request body with media, in bytes")
	f.size(&c.mediaKeep, "media-keep", 16<<20, "up to which size the content of a media is kept, in bytes")
	f.wait(&c.mediaDelay, "media-delay", 0, "how long the media of a message cannot be downloaded yet")

	f.group("What the service lacks")
	f.yes(&c.noChatwoot, "without-chatwoot", "the Chatwoot module is off: 503")
	f.yes(&c.oldLibrary, "old-library", "newsletters can be neither looked up nor left: 501")
}

var timeForms = map[string]ryzetest.TimeForm{
	"unix": ryzetest.TimeUnix, "unix-ms": ryzetest.TimeUnixMillis, "delta": ryzetest.TimeDelta,
	"delta-ms": ryzetest.TimeDeltaMillis, "iso": ryzetest.TimeISO, "http": ryzetest.TimeHTTP,
}

func timeFormNames() []string { return []string{"unix", "unix-ms", "delta", "delta-ms", "iso", "http"} }

// parse reads the flags.
func parse(args []string, errOut io.Writer) (*settings, error) {
	f, c := newFlagSet(errOut), &settings{}
	c.declare(f)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if !f.given("control") {
		c.control = isLoopback(c.addr)
	}
	wantsHTTP2 := c.http2
	c.http2 = c.secure && (wantsHTTP2 || !f.given("http2"))
	switch {
	case wantsHTTP2 && !c.secure:
		return nil, errors.New("-http2 needs -tls: HTTP/2 without TLS (h2c) is refused")
	case c.cert != "" && !c.secure:
		return nil, errors.New("-cert needs -tls")
	case c.exposeRate && len(c.origins) == 0:
		return nil, errors.New("-expose-rate-headers needs -allow-origin")
	case c.notConnected != http.StatusServiceUnavailable && c.notConnected != http.StatusBadRequest:
		return nil, fmt.Errorf("-not-connected-status must be 503 or 400, not %d", c.notConnected)
	case c.lang != "" && c.lang != "en" && c.lang != "pt":
		return nil, fmt.Errorf("-lang must be en or pt, not %q", c.lang)
	case c.lang != "" && !c.demo:
		return nil, errors.New("-lang needs -demo")
	}
	for _, origin := range c.origins {
		// A browser sends scheme, host and port, and nothing else; "null" for a file.
		u, err := url.Parse(origin)
		if origin != "null" && (err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin) {
			return nil, fmt.Errorf("-allow-origin wants origins such as https://app.example or http://localhost:3000, not %q", origin)
		}
	}
	if err := negative(c); err != nil {
		return nil, err
	}
	for k, name := range c.instances {
		if slices.Contains(c.instances[:k], name) {
			return nil, fmt.Errorf("-instance names %q twice", name)
		}
	}
	return c, nil
}

// codesLive is how long the simulator waits for a pairing.
const codesLive = 2 * time.Minute

func negative(c *settings) error {
	for name, is := range map[string]bool{
		"quota": c.quota < 0, "rate": c.rate < -1, "create-rate": c.createRate < -1, "auto-pair": c.autoPair < 0,
		"rate-window": c.rateWindow < time.Second,
		"code-delay":  c.codeDelay < 0, "reconnect-delay": c.reconnectDelay < 0, "stranger": c.stranger < 0,
		"webhook-timeout": c.webhookTimeout <= 0, "body-limit": c.bodyLimit < 0, "media-body-limit": c.mediaBodyLimit < 0,
		"media-keep": c.mediaKeep < 0, "media-delay": c.mediaDelay < 0,
	} {
		if is {
			return fmt.Errorf("-%s is too small", name)
		}
	}
	if c.autoPair >= codesLive {
		return fmt.Errorf("-auto-pair is %s, and the codes of a connect are gone after %s", c.autoPair, codesLive)
	}
	for _, pause := range c.webhookRetry {
		if pause < 0 {
			return fmt.Errorf("-webhook-retry has the pause %s", pause)
		}
	}
	return nil
}

// options are those of the simulator, all that the flags decide alone.
func (c *settings) options() ([]ryzetest.Option, error) {
	opts := []ryzetest.Option{
		ryzetest.WithListen(c.addr), ryzetest.WithQuota(c.quota), ryzetest.WithRateLimit(c.rate),
		ryzetest.WithCreateRateLimit(c.createRate), ryzetest.WithRateWindow(c.rateWindow),
		ryzetest.WithClockSkew(c.skews...), ryzetest.WithAllowedOrigins(c.origins...),
		ryzetest.WithWebhookRetry(c.webhookRetry...), ryzetest.WithWebhookTimeout(c.webhookTimeout),
		ryzetest.WithBodyLimits(c.bodyLimit, c.mediaBodyLimit), ryzetest.WithMediaKeep(c.mediaKeep),
		ryzetest.WithMediaDelay(c.mediaDelay), ryzetest.WithCodeDelay(c.codeDelay), ryzetest.WithReconnectDelay(c.reconnectDelay),
		ryzetest.WithNotConnectedStatus(c.notConnected), ryzetest.WithDeviceSuffix(c.deviceSuffix),
	}
	for _, o := range []struct {
		on     bool
		option ryzetest.Option
	}{
		{c.secure, ryzetest.WithTLS()}, {c.secure && !c.http2, ryzetest.WithoutHTTP2()},
		{c.exposeRate, ryzetest.WithExposedRateHeaders()}, {c.bareState, ryzetest.WithoutStateAuthorization()},
		{c.noEchoes, ryzetest.WithoutEchoes()}, {c.calls, ryzetest.WithCallEvents()},
		{c.bareQR, ryzetest.WithoutQRPrefix()}, {c.tokenInData, ryzetest.WithTokenInData()},
		{c.observedStates, ryzetest.WithObservedStates()}, {c.noChatwoot, ryzetest.WithoutChatwoot()},
		{c.oldLibrary, ryzetest.WithOldLibrary()}, {c.autoPair > 0, ryzetest.WithAutoPair(c.autoPair)},
	} {
		if o.on {
			opts = append(opts, o.option)
		}
	}
	switch l := ryzetest.Layout(c.layout); l {
	case ryzetest.LayoutLive, ryzetest.LayoutDocumented:
		opts = append(opts, ryzetest.WithLayout(l))
	default:
		return nil, fmt.Errorf("-layout must be live or documented, not %q", c.layout)
	}
	switch c.targets {
	case "loopback":
	case "any":
		opts = append(opts, ryzetest.WithWebhookClient(&http.Client{}))
	default:
		return nil, fmt.Errorf("-webhook-targets must be loopback or any, not %q", c.targets)
	}
	form := timeForms[c.reset]
	if form == nil {
		return nil, fmt.Errorf("-reset must be one of %s, not %q", strings.Join(timeFormNames(), ", "), c.reset)
	}
	opts = append(opts, ryzetest.WithReset(form))
	if c.retryAfter != "" {
		if form = timeForms[c.retryAfter]; form == nil {
			return nil, fmt.Errorf("-retry-after must be one of %s, not %q", strings.Join(timeFormNames(), ", "), c.retryAfter)
		}
		opts = append(opts, ryzetest.WithRetryAfter(form))
	}
	receipts, err := parseReceipts(strings.Split(c.receipts, ","))
	if err != nil {
		return nil, fmt.Errorf("-receipts: %w", err)
	}
	opts = append(opts, ryzetest.WithReceipts(receipts))
	return c.rateHeaders(opts)
}

func (c *settings) rateHeaders(opts []ryzetest.Option) ([]ryzetest.Option, error) {
	var names []string
	for _, word := range c.noRate {
		switch word {
		case "all":
			return append(opts, ryzetest.WithoutRateHeaders()), nil
		case "limit", "remaining", "reset":
			names = append(names, "X-RateLimit-"+word)
		default:
			return nil, fmt.Errorf("-without-rate-headers knows limit, remaining, reset and all, not %q", word)
		}
	}
	if len(names) > 0 {
		opts = append(opts, ryzetest.WithoutRateHeaders(names...))
	}
	return opts, nil
}

// parseReceipts reads when customers receive, read and play: "off", or durations of
// which "none" is never.
func parseReceipts(list []string) (ryzetest.Receipts, error) {
	r := ryzetest.Receipts{Delivered: -1, Read: -1}
	if len(list) == 1 && list[0] == "off" {
		return ryzetest.Receipts{Off: true}, nil
	}
	places := []*time.Duration{&r.Delivered, &r.Read, &r.Played}
	if len(list) > len(places) {
		return r, errors.New("there are more than three durations")
	}
	for k, word := range list {
		if word = strings.TrimSpace(word); word == "none" {
			continue
		}
		d, err := time.ParseDuration(word)
		if err != nil || d < 0 {
			return r, fmt.Errorf("%s is no duration", strconv.Quote(word))
		}
		*places[k] = d
	}
	return r, nil
}
