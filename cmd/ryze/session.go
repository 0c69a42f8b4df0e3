package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

// The environment variables, and what errors call them.
const (
	envBaseURL       = "RYZE_BASE_URL"
	envAccountToken  = "RYZE_ACCOUNT_TOKEN" //nolint:gosec // the name of a variable
	envInstance      = "RYZE_INSTANCE"
	envInstanceToken = "RYZE_INSTANCE_TOKEN"        //nolint:gosec // the name of a variable
	envAuthorization = "RYZE_WEBHOOK_AUTHORIZATION" // the Authorization header of webhook deliveries
)

// source is the label of what this program sends.
const source = "ryze-cli"

func (a *app) baseURL() string { return cmp.Or(a.env.getenv(envBaseURL), ryze.DefaultBaseURL) }

// engine returns the client that all handles of this run share.
func (a *app) engine() (*ryze.Client, error) {
	if a.client != nil {
		return a.client, nil
	}
	client, err := ryze.New(
		ryze.WithBaseURL(a.baseURL()), ryze.WithHTTPClient(&http.Client{Transport: a.probe}),
		ryze.WithUserAgent("ryze-cli/"+ryze.Version), ryze.WithSource(source),
		ryze.WithObserver(&ryze.Observer{QuotaWaitStart: func(_ context.Context, info ryze.QuotaWaitInfo) {
			if info.Expected > time.Second {
				a.note("The quota is used up: waiting for about %s.", info.Expected.Round(time.Second))
			}
		}}),
	)
	if bad, ok := errors.AsType[*ryze.ValidationError](err); ok {
		return nil, usage("%s %s", envBaseURL, bad.Reason)
	}
	a.client = client
	return client, err
}

// A token is what the program may act with, and where it was found.
type token struct {
	value string
	from  string
}

func (t token) none() bool { return t.value == "" }

// accountToken finds the token of the account; none is no error.
func (a *app) accountToken() (token, error) {
	if value := a.env.getenv(envAccountToken); value != "" {
		return token{value, envAccountToken}, nil
	}
	c, err := a.credentials()
	if err != nil {
		return token{}, err
	}
	path, _ := a.credentialsPath()
	return token{c.of(a.baseURL()).Account, path}, nil
}

// instanceToken finds the own token of an instance; none is no error.
func (a *app) instanceToken(name string) (token, error) {
	// A token in the environment is that of the instance which stands beside it.
	if value := a.env.getenv(envInstanceToken); value != "" && cmp.Or(a.env.getenv(envInstance), name) == name {
		return token{value, envInstanceToken}, nil
	}
	if a.env.getenv(envAccountToken) != "" { // what is in the environment goes first
		return token{}, nil
	}
	c, err := a.credentials()
	if err != nil {
		return token{}, err
	}
	path, _ := a.credentialsPath()
	return token{c.of(a.baseURL()).Instances[name], path}, nil
}

// account returns the handle of the account.
func (a *app) account() (*ryze.AccountClient, error) {
	t, err := a.accountToken()
	if err != nil {
		return nil, err
	}
	if t.none() {
		return nil, &hinted{usage("this needs the account's token, and there is none for %s", a.baseURL()), "set " + envAccountToken + ", or run ryze login"}
	}
	client, err := a.engine()
	if err != nil {
		return nil, err
	}
	return client.Account(t.value), nil
}

// instance returns the handle of an instance. It acts with the instance's own
// token, also when it is found by the account's.
func (a *app) instance(ctx context.Context, name string) (*ryze.InstanceClient, error) {
	own, err := a.instanceToken(name)
	if err != nil {
		return nil, err
	}
	if !own.none() {
		client, err := a.engine()
		if err != nil {
			return nil, err
		}
		return client.Instance(name, own.value), nil
	}
	t, err := a.accountToken()
	if err != nil {
		return nil, err
	}
	if t.none() {
		return nil, &hinted{
			usage("there is no token for the instance %q at %s", name, a.baseURL()),
			"set " + envAccountToken + ", or " + envInstance + " and " + envInstanceToken + ", or run ryze login",
		}
	}
	account, err := a.account()
	if err != nil {
		return nil, err
	}
	info, err := account.GetInstance(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("instance %q: %w", name, err)
	}
	if info.Token == "" {
		return account.Instance(name), nil
	}
	return account.InstanceFrom(info), nil
}

// named takes the instance's name off the arguments. It may be left out, so that
// only rest arguments are there, when RYZE_INSTANCE is set.
func (a *app) named(args []string, rest int) (name string, others []string, err error) {
	switch {
	case len(args) == rest+1:
		return args[0], args[1:], nil
	case len(args) > rest+1:
		return "", nil, usage("too many arguments: a text with blanks wants quotes")
	case len(args) < rest:
		return "", nil, usage("too few arguments")
	}
	if name = a.env.getenv(envInstance); name == "" {
		return "", nil, usage("too few arguments: NAME can be left out only when %s is set", envInstance)
	}
	return name, args, nil
}

// completeName completes the first argument with the names of instances.
func (a *app) completeName(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	if c, err := a.credentials(); err == nil {
		for name := range c.of(a.baseURL()).Instances {
			names = append(names, name)
		}
	}
	if name := a.env.getenv(envInstance); name != "" {
		names = append(names, name)
	}
	if account, err := a.account(); err == nil {
		ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second) // somebody waits at the prompt
		defer cancel()
		all, _ := account.ListInstances(ctx) // nobody could be told
		for i := range all {
			names = append(names, all[i].Name)
		}
	}
	return distinct(names), cobra.ShellCompDirectiveNoFileComp
}

// distinct returns each name once, without those that a shell could not take.
func distinct(names []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, name := range names {
		if !seen[name] && name == line(name) {
			out = append(out, name)
		}
		seen[name] = true
	}
	return out
}

// seen is what is known of a reply.
type seen struct {
	header http.Header
	tls    *tls.ConnectionState // nil without TLS
	at     time.Time            // in the middle between question and answer
}

// probe carries the requests, and remembers what doctor wants to know of the
// last reply.
type probe struct {
	next http.RoundTripper

	mu   sync.Mutex
	last seen
}

func (p *probe) RoundTrip(req *http.Request) (*http.Response, error) {
	next := p.next
	if next == nil {
		next = http.DefaultTransport
	}
	start := time.Now()
	res, err := next.RoundTrip(req)
	if err == nil {
		p.mu.Lock()
		p.last = seen{header: res.Header, tls: res.TLS, at: start.Add(time.Since(start) / 2)}
		p.mu.Unlock()
	}
	return res, err
}

// reply returns what is known of the last reply.
func (p *probe) reply() seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}
