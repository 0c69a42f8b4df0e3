// Package web is the HTTP side of the simulator's control API and page: who may
// come in, files, replies and event streams. It knows no noun of the simulator.
package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Guard decides which requests come in. Anybody on the machine may reach the port,
// every site that its browser shows included: the rules are for those.
type Guard struct {
	// Token is wanted of every request; "" wants none.
	Token string
	// Secure says that the server speaks https.
	Secure bool
	// Host is the name or address that the server was told to listen on, without
	// its port; "" for all.
	Host string
	// Prefix is the path under which everything is, with a slash at both ends.
	Prefix string
	// API is the path under which the API is, with a slash at both ends.
	API string
}

// Check reports whether the request may come in. It has answered when it reports
// false.
func (g *Guard) Check(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	switch {
	case !g.knowsHost(r.Host):
		// A name that somebody else has pointed at this machine.
		Fail(w, Forbidden("the host %q is not this server's: use localhost, an IP address, or the name it listens on", hostname(r.Host)))
	case r.Header.Get("Origin") != "" && !g.own(r.Header.Get("Origin"), r.Host):
		Fail(w, Forbidden("the origin %q is not this server's own", r.Header.Get("Origin")))
	case !g.wanted(r):
		Fail(w, Forbidden("a request that another site has started is refused"))
	case !g.authorized(r):
		if g.admit(w, r) {
			return false
		}
		h.Set("WWW-Authenticate", "Bearer")
		Fail(w, &Error{Status: http.StatusUnauthorized, Message: "a token is wanted: Authorization: Bearer <token>, or open " + g.Prefix + "?token=<token> in a browser"})
	case !isJSON(r):
		// A form of another site can post, but not as JSON.
		Fail(w, &Error{Status: http.StatusUnsupportedMediaType, Message: "a request that changes something needs Content-Type: application/json"})
	default:
		return true
	}
	return false
}

// hostname is a host without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// IsLoopback reports whether a host is this machine alone.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// knowsHost reports whether a request was meant for this server: nobody can make a
// browser resolve an address, localhost, or the server's own name to something
// else. A server that listens on loopback has no other address.
func (g *Guard) knowsHost(host string) bool {
	name := hostname(host)
	if IsLoopback(name) || g.Host != "" && strings.EqualFold(name, g.Host) {
		return true
	}
	if IsLoopback(g.Host) {
		return false
	}
	if net.ParseIP(name) != nil {
		return true
	}
	machine, err := os.Hostname()
	return err == nil && name != "" && strings.EqualFold(name, machine)
}

// own reports whether an origin is that of the server itself.
func (g *Guard) own(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Scheme == g.scheme() && strings.EqualFold(u.Host, host)
}

func (g *Guard) scheme() string {
	if g.Secure {
		return "https"
	}
	return "http"
}

// wanted looks at what browsers say of where a request comes from. A page of
// another port of this machine may link to the page, and do nothing else.
func (g *Guard) wanted(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	case "same-site":
		return r.Header.Get("Sec-Fetch-Mode") == "navigate" && !strings.HasPrefix(r.URL.Path, g.API)
	}
	return false
}

func isJSON(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	case http.MethodDelete:
		if r.ContentLength == 0 { // no form can send it
			return true
		}
	}
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && t == "application/json"
}

// authorized reports whether a request has the token, or the cookie that the page
// was given for it.
func (g *Guard) authorized(r *http.Request) bool {
	if g.Token == "" {
		return true
	}
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return same(strings.TrimSpace(token), g.Token)
	}
	for _, c := range r.CookiesNamed(g.cookieName(r)) {
		if same(c.Value, g.pass()) {
			return true
		}
	}
	return false
}

// same compares in a time that tells nothing, not even of the lengths.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// pass is what the cookie holds: the token cannot be read out of it.
func (g *Guard) pass() string {
	sum := sha256.Sum256([]byte("simulator page\x00" + g.Token))
	return hex.EncodeToString(sum[:])
}

// cookieName differs for servers on several ports of a machine, which share cookies.
func (g *Guard) cookieName(r *http.Request) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		return "ryzesim_" + port
	}
	return "ryzesim"
}

// admit takes the token out of the page's address, and puts a cookie in its place.
func (g *Guard) admit(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet || r.URL.Path != g.Prefix || !same(r.URL.Query().Get("token"), g.Token) {
		return false
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure where there is TLS: without it the cookie would not come back
		Name: g.cookieName(r), Value: g.pass(), Path: g.Prefix,
		HttpOnly: true, Secure: g.Secure, SameSite: http.SameSiteStrictMode,
	})
	// A redirect of the request would still count as started by where its link was.
	http.Redirect(w, r, g.Prefix, http.StatusSeeOther)
	return true
}
