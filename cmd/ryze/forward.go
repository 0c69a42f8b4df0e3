package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

// A target is the program that gets events as if a webhook delivered them.
type target struct {
	client        *http.Client
	url           string
	authorization ryze.Secret // "" for no header
	byEvents      bool
	// token and base stand in the events of a webhook. The SDK takes them out of
	// what comes over a stream. Without a token they stay out.
	token ryze.Secret
	base  string
}

var errNotLoopback = errors.New("not an address of this machine")

// newTarget checks the URL. Only this machine is reached unless anywhere says more.
func newTarget(address string, anywhere bool) (*target, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usage("--forward-to wants a URL such as http://localhost:3000/hook, not %q", address)
	}
	if u.User != nil {
		return nil, usage("--forward-to takes no user and password; the header Authorization comes from %s", envAuthorization)
	}
	local := isLoopback(u.Hostname())
	if !local && !anywhere {
		return nil, &hinted{usage("%s is not this machine", u.Hostname()), "--forward-anywhere allows it: messages then leave this machine"}
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	transport := &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute}
	if local {
		// The name may be resolved to anything: what counts is where it leads.
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			if to, err := netip.ParseAddrPort(address); err != nil || !to.Addr().Unmap().IsLoopback() {
				return errNotLoopback
			}
			return nil
		}
	} else {
		transport.Proxy = http.ProxyFromEnvironment
	}
	return &target{url: address, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// deliver makes one attempt, and returns the status of the answer.
func (t *target) deliver(ctx context.Context, event *ryze.Event) (status int, err error) {
	body := event.Raw
	if t.token != "" {
		body = withInstanceData(body, t.base, t.token.Reveal())
	}
	// The program may restart at any time: a connection that was kept would break off
	// under the next event, of which nobody knew then whether it was handled.
	defer t.client.CloseIdleConnections()
	return post(ctx, t.client, t.address(event.Type), t.authorization, body)
}

// post delivers a body as the service does.
func post(ctx context.Context, client *http.Client, address string, authorization ryze.Secret, body []byte) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "RyzeAPI")
	if authorization != "" {
		req.Header.Set("Authorization", authorization.Reveal())
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // the status has decided
	return res.StatusCode, nil
}

// address is where an event goes.
func (t *target) address(event ryze.EventType) string {
	if !t.byEvents {
		return t.url
	}
	return eventURL(t.url, event)
}

// eventURL appends the name of an event to the path, as byEvents does. A query
// stays behind it.
func eventURL(address string, event ryze.EventType) string {
	base, query, has := strings.Cut(address, "?")
	address = strings.TrimSuffix(base, "/") + "/" + url.PathEscape(string(event))
	if has {
		address += "?" + query
	}
	return address
}

// withInstanceData puts back into instanceData what a webhook delivers there and
// the SDK has taken out. Everything else stays as it is, byte by byte.
func withInstanceData(event json.RawMessage, base, token string) json.RawMessage {
	dec := json.NewDecoder(bytes.NewReader(event))
	if _, err := dec.Token(); err != nil { // the brace
		return event
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return event
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return event
		}
		if key != "instanceData" || len(value) == 0 || value[0] != '{' {
			continue
		}
		start := dec.InputOffset() - int64(len(value)) + 1 // behind the brace of instanceData
		members, err := json.Marshal(map[string]string{"baseUrl": base, "token": token})
		if err != nil {
			return event
		}
		members = members[1 : len(members)-1]
		if bytes.TrimLeft(value[1:], " \t\r\n")[0] != '}' {
			members = append(members, ',')
		}
		return slices.Concat(event[:start], members, event[start:])
	}
	return event
}

// reason says in a few words why there was no answer.
func reason(err error, limit time.Duration) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %s", limit)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection broke off"
	case errors.Is(err, errNotLoopback):
		return errNotLoopback.Error()
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err // without the URL, which stands on the screen already
	}
	return err.Error()
}
