package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// fixedToken is the account's token on loopback when none is given. It is public
// and invented: it opens nothing but simulators on the machine that they run on.
const fixedToken = "fa15e000-0000-4000-8000-0000000acc07"

// fixedInstanceToken is the token of an instance on loopback, the same at each start.
// It is as public as fixedToken.
func fixedInstanceToken(name string) string {
	b := sha256.Sum256([]byte("ryzesim instance " + name))
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// tokenVariable gives the account's token without showing it to who lists the
// programs of the machine. It is not the variable of the real token, so that this is
// never taken by mistake.
const tokenVariable = "RYZESIM_TOKEN" //nolint:gosec // the name of a variable

// isLoopback reports whether only this machine reaches an address to listen on.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	host, _, _ = strings.Cut(host, "%")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// tokens are the options for the tokens of account and instances. hasState tells
// that the account's token was stored.
func (c *settings) tokens(hasState bool) ([]ryzetest.Option, error) {
	token := os.Getenv(tokenVariable)
	local := isLoopback(c.addr)
	switch {
	case token != "" && c.token != "":
		return nil, errors.New("-token and " + tokenVariable + " are both given")
	case c.token != "" && !local:
		return nil, fmt.Errorf("-token is refused on %s, which others may reach: leave it out for a random one, or set %s", c.addr, tokenVariable)
	case token == fixedToken && !local:
		return nil, fmt.Errorf("the token of %s is the public one of ryzesim: it is refused on %s, which others may reach", tokenVariable, c.addr)
	case c.token != "":
		token = c.token
	case token == "" && local && !hasState:
		token = fixedToken
	}
	var opts []ryzetest.Option
	if token != "" {
		opts = append(opts, ryzetest.WithAccountToken(token))
	}
	if local {
		opts = append(opts, ryzetest.WithInstanceTokens(fixedInstanceToken))
	}
	return opts, nil
}

// refusePublicTokens finds stored tokens that must not be served where others come.
func refusePublicTokens(srv *ryzetest.Server, addr string) error {
	if isLoopback(addr) {
		return nil
	}
	if srv.AccountToken == fixedToken {
		return fmt.Errorf("the state has the account's public token, which is refused on %s: set %s", addr, tokenVariable)
	}
	for _, i := range srv.Instances() {
		if i.Token() == fixedInstanceToken(i.Name()) {
			return fmt.Errorf("the state has the public token of instance %q, which is refused on %s: use another file there", i.Name(), addr)
		}
	}
	return nil
}
