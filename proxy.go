package ryze

import (
	"context"
	"fmt"
	"strconv"
)

// ProxyService sets the proxy between an instance and WhatsApp. A change works
// after the next [InstanceClient.Reconnect] or [InstanceClient.Connect].
type ProxyService service

// ProxyProtocol is the protocol of a proxy. For the spellings see
// docs/service-notes.md.
type ProxyProtocol string

// Proxy protocols.
const (
	ProxyHTTP   ProxyProtocol = "http"
	ProxyHTTPS  ProxyProtocol = "https"
	ProxySOCKS5 ProxyProtocol = "socks5"
)

// ProxyConfig is the proxy that an instance should have.
type ProxyConfig struct {
	Host     string
	Port     string // as text, "1080"; 1 to 65535 when it is given
	Protocol ProxyProtocol
	Username string
	Password Secret
}

// Proxy is the proxy that the service has for an instance. Password is always
// empty: fill it in before [ProxyService.Set].
type Proxy struct {
	Meta `json:"-"`
	ProxyConfig

	Enabled bool // false: the instance has no proxy of its own
}

// Format implements [fmt.Formatter] without secrets.
func (c ProxyConfig) Format(f fmt.State, verb rune) {
	type plain ProxyConfig
	formatPlain(f, verb, plain(c))
}

// Format implements [fmt.Formatter] without secrets.
func (p Proxy) Format(f fmt.State, verb rune) {
	type plain struct { // not embedded: its Format would print for all
		Meta        Meta
		ProxyConfig ProxyConfig
		Enabled     bool
	}
	formatPlain(f, verb, plain{p.Meta, p.ProxyConfig, p.Enabled})
}

func (c *ProxyConfig) check() error {
	port, err := strconv.Atoi(c.Port)
	switch {
	case c.Host == "" && c.Port == "" && c.Protocol == "" && c.Username == "" && c.Password == "":
		return invalid("Proxy", "is empty; Remove takes the proxy away")
	case c.Port != "" && (err != nil || port < 1 || port > 65535):
		return invalid("Proxy.Port", "is "+quoted(c.Port)+", which is no port number from 1 to 65535")
	}
	return checkTexts("Proxy", c)
}

type proxyBody struct {
	Enabled  bool   `json:"enabled"`
	Host     string `json:"host,omitempty"`
	Port     string `json:"port,omitempty"`
	Protocol string `json:"protocol,omitempty"`
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
}

type proxyReply struct {
	envelope
	Proxy object[struct {
		Enabled  wireBool      `json:"enabled"`
		Host     string        `json:"host"`
		Port     stringOrInt   `json:"port"`
		Protocol ProxyProtocol `json:"protocol"`
		Username string        `json:"username"`
	}] `json:"proxy"`
}

func (r *proxyReply) missing() string {
	if r.Proxy.value == nil {
		return "the reply has no proxy"
	}
	return ""
}

// Get returns the instance's own proxy, without the password. Enabled is false
// when it has none. It does not show a proxy of the service.
//
// GET /api/instance/getProxy/:instance. Safe to repeat.
func (s *ProxyService) Get(ctx context.Context) (*Proxy, error) {
	r, err := fetchChecked(ctx, s.h, opProxyGet, input{}, (*proxyReply).missing)
	if err != nil {
		return nil, err
	}
	p := r.Proxy.value
	return &Proxy{Meta: r.Meta, Enabled: p.Enabled.on, ProxyConfig: ProxyConfig{
		Host: p.Host, Port: string(p.Port), Protocol: p.Protocol, Username: p.Username,
	}}, nil
}

// Set gives the instance its own proxy. At least one field is required. Read it
// back with Get; see docs/service-notes.md.
//
// POST /api/instance/proxy/:instance. Safe to repeat.
func (s *ProxyService) Set(ctx context.Context, proxy ProxyConfig) error {
	if err := proxy.check(); err != nil {
		return err
	}
	body := proxyBody{
		Enabled: true, Host: proxy.Host, Port: proxy.Port, Protocol: string(proxy.Protocol),
		Username: proxy.Username, Password: proxy.Password.Reveal(),
	}
	return run(ctx, s.h, opProxyUpdate, input{body: body, secrets: []Secret{proxy.Password}})
}

// Remove takes the instance's proxy away.
//
// POST /api/instance/proxy/:instance. Safe to repeat.
func (s *ProxyService) Remove(ctx context.Context) error {
	return run(ctx, s.h, opProxyUpdate, input{body: proxyBody{}})
}

// proxyBlock is a proxy in the creation of an instance.
type proxyBlock struct {
	Enabled  bool   `json:"proxyEnabled"`
	Host     string `json:"proxyHost,omitempty"`
	Port     string `json:"proxyPort,omitempty"`
	Protocol string `json:"proxyProtocol,omitempty"`
	Username string `json:"proxyUsername,omitempty"`
	Password string `json:"proxyPassword,omitempty"`
}

// block returns what travels at the creation of an instance; nil is none.
func (c *ProxyConfig) block() (*proxyBlock, error) {
	if c == nil {
		return nil, nil
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return &proxyBlock{true, c.Host, c.Port, string(c.Protocol), c.Username, c.Password.Reveal()}, nil
}
