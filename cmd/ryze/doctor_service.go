package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

const (
	certificateSoon = 14 * 24 * time.Hour // a certificate that ends so soon should have been renewed
	clockTolerance  = 5 * time.Second     // the service tells the time in whole seconds
)

// checkCredentials looks at the file and at where the tokens are.
func (d *doctor) checkCredentials(context.Context) bool {
	path, err := d.credentialsPath()
	if err == nil {
		_, err = os.Stat(path)
	}
	if err == nil {
		if _, err := readCredentials(path); err != nil {
			do := ""
			if help, ok := errors.AsType[*hinted](err); ok {
				do = help.hint
			}
			d.wrong("credentials", do, "The file %v.", err)
			return false
		}
		d.ok("credentials", "The file %s is for its owner alone.", path)
	}
	own, err := d.instanceToken(d.name)
	account, err2 := d.accountToken()
	if err := errors.Join(err, err2); err != nil {
		d.wrong("credentials", "", "The tokens cannot be read: %v.", err)
		return false
	}
	if own.none() && account.none() {
		d.wrong("token", "set "+envAccountToken+", or "+envInstance+" and "+envInstanceToken+", or run ryze login",
			"There is no token for %q at %s.", d.name, d.baseURL())
		return false
	}
	if value := d.env.getenv(envInstance); !own.none() || d.env.getenv(envInstanceToken) == "" || value == d.name {
		return true
	}
	d.warn("token", "set both for the instance that is meant", "%s is not used: it stands beside %s=%q.", envInstanceToken, envInstance, d.env.getenv(envInstance))
	return true
}

// checkService looks at the way to the service: name, connection, TLS, clock.
func (d *doctor) checkService(ctx context.Context) bool {
	client, err := d.engine()
	if err != nil {
		d.failed(ctx, "service", "The base URL is not right", err)
		return false
	}
	d.client = client
	start := time.Now()
	health, err := client.Health(ctx)
	if err != nil {
		d.unreachable(ctx, err)
		return false
	}
	took := rounded(time.Since(start))
	if health.Healthy() {
		d.ok("service", "%s answers in %s.", d.baseURL(), took)
	} else {
		text := ""
		for _, check := range sortedKeys(health.Checks) {
			if value := health.Checks[check]; value != "ok" {
				text += " " + check + " is " + quote(value) + "."
			}
		}
		d.warn("service", "wait, or ask the operator: this is not yours to mend", "%s calls itself %s.%s", d.baseURL(), quote(health.Status), text)
	}
	reply := d.probe.reply()
	d.checkTLS(reply.tls)
	d.checkClock(reply.header.Get("Date"), reply.at)
	return true
}

func (d *doctor) unreachable(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	base := d.baseURL()
	name, isDNS := errors.AsType[*net.DNSError](err)
	_, isHost := errors.AsType[x509.HostnameError](err)
	_, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	switch {
	case isDNS:
		d.wrong("service", "check "+envBaseURL+" and the network", "The name %q is not known.", name.Name)
	case isHost, isInvalid, isUnknown:
		d.wrong("tls", "check the clock of this machine, and whether a proxy opens the traffic; a simulator's certificate wants SSL_CERT_FILE",
			"The certificate of %s is not trusted: %v.", base, rootCause(err))
	case errors.Is(err, ryze.ErrForeignReply), errors.Is(err, ryze.ErrBadResponse), errors.Is(err, ryze.ErrRedirect), errors.Is(err, ryze.ErrNotFound):
		d.wrong("service", "check "+envBaseURL+", and proxies on the way", "What answers at %s is not RyzeAPI.", base)
	default:
		text, _, _ := d.explain(ctx, err)
		d.wrong("service", "check "+envBaseURL+", the network and a firewall", "%s does not answer: %s.", base, text)
	}
}

// rootCause is the innermost error.
func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

func (d *doctor) checkTLS(state *tls.ConnectionState) {
	if state == nil || len(state.PeerCertificates) == 0 {
		d.ok("tls", "There is no TLS to %s, which is this machine.", d.baseURL()) // nothing else is allowed
		return
	}
	end := state.PeerCertificates[0].NotAfter
	if left := time.Until(end); left < certificateSoon {
		d.warn("tls", "tell the operator of the service", "The certificate ends on %s.", end.Local().Format(time.DateTime))
		return
	}
	d.ok("tls", "TLS is fine; the certificate is valid until %s.", end.Local().Format(time.DateOnly))
}

// checkClock compares the clock with the header Date of a reply.
func (d *doctor) checkClock(told string, at time.Time) {
	date, err := http.ParseTime(told)
	if err != nil {
		d.warn("clock", "", "The service does not tell its time, so the clock was not compared.")
		return
	}
	// Date is cut to the second: it is half a second late on average.
	ahead := at.Sub(date.Add(500 * time.Millisecond))
	if ahead.Abs() <= clockTolerance {
		d.ok("clock", "The clock agrees with the service's.")
		return
	}
	direction := "behind"
	if ahead > 0 {
		direction = "ahead of"
	}
	d.warn("clock", "let this machine set its clock by NTP", "The clock of this machine is %s %s the service's.", ahead.Abs().Round(time.Second), direction)
}

// checkTokens finds out what each token is, and whether it may act on the instance.
func (d *doctor) checkTokens(ctx context.Context) bool {
	own, _ := d.instanceToken(d.name)
	account, _ := d.accountToken()
	if !own.none() {
		d.checkOwn(ctx, own)
	}
	if !account.none() && ctx.Err() == nil {
		d.checkAccount(ctx, account, own.none())
	}
	return d.info != nil
}

// visible lists what a token sees, and the instance among it, if it is there.
func (d *doctor) visible(ctx context.Context, t token) (all []ryze.Instance, info *ryze.Instance, ok bool) {
	all, err := d.client.Account(t.value).ListInstances(ctx)
	if err != nil {
		d.refused(ctx, t, err)
		return nil, nil, false
	}
	for i := range all {
		if all[i].Name == d.name {
			info = &all[i]
		}
	}
	return all, info, true
}

func (d *doctor) refused(ctx context.Context, t token, err error) {
	if errors.Is(err, ryze.ErrUnauthorized) || errors.Is(err, ryze.ErrForbidden) {
		d.wrong("token", "copy it anew, without quotes and blanks; one of another service or a deleted instance is not valid here", "%s does not accept the token of %s.", d.baseURL(), t.from)
		return
	}
	d.failed(ctx, "token", "The token of "+t.from+" could not be tried", err)
}

func (d *doctor) checkOwn(ctx context.Context, t token) {
	all, info, ok := d.visible(ctx, t)
	switch {
	case !ok:
	case info == nil && len(all) == 1 && all[0].Token.Reveal() == t.value:
		d.wrong("token", "take the token of "+quote(d.name)+", or the name "+quote(all[0].Name), "The token of %s belongs to the instance %s.", t.from, quote(all[0].Name))
	case info == nil:
		d.noInstance(all)
	case info.Token != "" && info.Token.Reveal() != t.value:
		d.use(info, d.client.Instance(d.name, t.value))
		d.warn("token", "give programs the instance's own token", "The token of %s is the account's: whoever has it can delete every instance.", t.from)
	default:
		d.use(info, d.client.Instance(d.name, t.value))
		d.ok("token", "The token of %s is the instance's own.", t.from)
	}
}

func (d *doctor) checkAccount(ctx context.Context, t token, alone bool) {
	all, info, ok := d.visible(ctx, t)
	switch {
	case !ok:
	case len(all) == 1 && all[0].Token.Reveal() == t.value:
		d.wrong("token", "set "+envAccountToken+" to the account's token, and "+envInstanceToken+" to this one",
			"The token of %s is that of the instance %s, not the account's: it cannot create, list or delete.", t.from, quote(all[0].Name))
		if info != nil && d.info == nil {
			d.use(info, d.client.Instance(d.name, t.value))
		}
	case info == nil && d.info != nil:
		d.warn("token", "check whether it is of another account", "The account of %s has no instance %s.", t.from, quote(d.name))
	case info == nil:
		d.noInstance(all)
	default:
		d.ok("token", "The token of %s is the account's; it sees %s.", t.from, plural(len(all), "instance"))
		if alone && info.Token != "" {
			d.use(info, d.client.Account(t.value).InstanceFrom(info))
		} else if d.info == nil {
			d.use(info, d.client.Account(t.value).Instance(d.name))
		}
	}
}

// use takes the first handle that works.
func (d *doctor) use(info *ryze.Instance, inst *ryze.InstanceClient) {
	if d.info == nil {
		d.info, d.inst = info, inst
	}
}

func (d *doctor) noInstance(all []ryze.Instance) {
	do := "make it: ryze new " + shellWord(d.name)
	for i := range all {
		if strings.EqualFold(all[i].Name, d.name) {
			do = "names are case-sensitive: did you mean " + shellWord(all[i].Name) + "?"
		}
	}
	d.wrong("instance", do, "There is no instance %s.", quote(d.name))
}

// checkState looks at the connection to WhatsApp.
func (d *doctor) checkState(context.Context) bool {
	connect := "connect it: ryze connect " + shellWord(d.name)
	state := d.info.State
	switch state {
	case ryze.InstanceConnected, ryze.InstanceOpen:
		d.ok("state", "%s is connected as %s.", d.name, d.info.JID.Phone())
	case ryze.InstanceConnecting, ryze.InstanceQRReady, ryze.InstancePairSuccess, ryze.InstanceManualReconnect:
		d.warn("state", "wait a moment and look again; or "+connect, "%s is not connected yet: %s.", d.name, state)
	case ryze.InstanceBanned, ryze.InstanceTempBanned:
		d.wrong("state", "see what the phone says, and write only to people who expect it", "WhatsApp has banned the number of %s (%s).", d.name, state)
	case ryze.InstanceLoggedOut:
		d.wrong("state", "pair it again: ryze connect "+shellWord(d.name), "%s was logged out, by the phone or by a request.", d.name)
	default:
		d.wrong("state", connect, "%s is not connected: %s.", d.name, quote(string(state)))
	}
	return true
}

// checkQuota looks at what is left of the quota.
func (d *doctor) checkQuota(context.Context) bool {
	limit := d.inst.RateLimit()
	if !limit.Known {
		limit = d.limit
	}
	switch {
	case limit.Unlimited():
		d.ok("quota", "The token has no rate limit.")
	case !limit.Known:
		d.warn("quota", "programs fall back to 100 requests a minute; a proxy may take the X-RateLimit headers away", "The service does not say how much of the quota is left.")
	case limit.Remaining < max(limit.Limit/10, 1):
		d.warn("quota", "find the program that uses it up, or ask for a larger one", "Only %d of %d requests are left until %s.", limit.Remaining, limit.Limit, clock(limit.Reset))
	default:
		d.ok("quota", "%d of %d requests are left in this minute.", limit.Remaining, limit.Limit)
	}
	return true
}

// isPrivate reports whether only this machine or its network reach the host.
func isPrivate(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := u.Hostname()
	if isLoopback(host) || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal") || !strings.ContainsAny(host, ".:") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified())
}
