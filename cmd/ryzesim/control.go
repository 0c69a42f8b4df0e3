package main

import (
	"crypto/rand"
	"net"
	"net/url"
	"os"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// controlVariable gives the token of the page and its API.
const controlVariable = "RYZESIM_CONTROL_TOKEN"

// controlOptions turn the page on, with a token where others can reach it.
func (c *settings) controlOptions() (opts []ryzetest.Option, token string) {
	if !c.control {
		return nil, ""
	}
	token = os.Getenv(controlVariable)
	if token == "" && !isLoopback(c.addr) {
		token = rand.Text()
	}
	return []ryzetest.Option{ryzetest.WithControl(token)}, token
}

// pageAddress is where a browser on this machine finds the page. The token is given
// once: the page keeps it.
func pageAddress(base, token string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort("localhost", u.Port())
	}
	u.Path = "/_sim/"
	if token != "" {
		u.RawQuery = url.Values{"token": {token}}.Encode()
	}
	return u.String()
}
