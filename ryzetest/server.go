package ryzetest

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a simulated RyzeAPI. Its methods are safe for concurrent use.
type Server struct {
	// URL is the base URL, without a trailing slash; with InMemory only
	// HTTPClient and DialContext reach it.
	URL string
	// AccountToken is the TokenAccount of the main account.
	AccountToken string

	cfg      config
	clock    *clock
	clocks   clocks
	windows  *windows
	faults   faults
	log      requestLog
	control  *control // nil without WithControl
	changes  changes
	client   *http.Client
	hooks    *http.Client
	fetcher  *http.Transport
	started  time.Time
	http     *http.Server
	listener net.Listener

	ctx    context.Context //nolint:containedctx // of the server: ends when it closes
	cancel context.CancelFunc
	once   sync.Once
	closed chan struct{}
	gate   sync.Mutex     // orders the last work.Add before Close waits
	work   sync.WaitGroup // handlers, streams, webhook workers, the clock
	conns  sync.WaitGroup // connections that net/http still serves
	tls    *tls.Config    // nil without WithTLS

	accepted  atomic.Int64 // connections
	connMu    sync.Mutex   // guards what follows, up to mu
	open      map[*conn]http.ConnState
	broken    int // new connections that go wrong
	brokenHow ConnFault
	stale     int // requests that find their connection dead

	mu       sync.Mutex // guards what follows, and every account and instance
	accounts []*account
	degraded map[string]string
	world    world
	hookLog  []Delivery
	dead     []DeadLetter

	lastDelivery int64 // number of the last one
	resets       int   // what began before one does not count after it
	refuse       int
	frozen       bool
	nextPhone    int
}

type account struct {
	token     string
	quota     int
	instances []*Instance
}

// NewServer starts a server on a free port of this machine, unless options say
// otherwise. Close it when done. It panics when it cannot listen or read the
// state of WithState.
func NewServer(opts ...Option) *Server {
	s, err := Start(opts...)
	if err != nil {
		panic("ryzetest: " + err.Error())
	}
	return s
}

// Start is NewServer for programs: it returns the error of listening, or of WithState.
func Start(opts ...Option) (*Server, error) {
	cfg := configured(opts)
	var state *saved
	if cfg.state != nil {
		var err error
		if state, err = readState(cfg.state); err != nil {
			return nil, err
		}
	}
	accountToken := cmp.Or(cfg.accountToken, newToken())
	s := &Server{
		AccountToken: accountToken,
		cfg:          cfg,
		clock:        newClock(),
		windows:      newWindows(cfg.globalLimit, cfg.createLimit, cfg.rateWindow),
		closed:       make(chan struct{}),
		open:         map[*conn]http.ConnState{},
		degraded:     map[string]string{},
		accounts:     []*account{{token: accountToken, quota: cfg.quota}},
	}
	s.clocks.skews = cfg.skews
	s.ctx, s.cancel = context.WithCancel(context.Background())
	err := s.listen()
	if err != nil {
		s.cancel()
		return nil, err
	}
	if cfg.control != nil {
		if s.control, err = newControl(s, cfg.control.token); err != nil {
			s.cancel()
			s.listener.Close()
			return nil, err
		}
	}
	s.hooks = cfg.webhookClient
	if s.hooks == nil {
		s.hooks = loopbackClient()
	}
	s.fetcher = &http.Transport{}
	if state != nil {
		s.restore(state)
	}
	s.started = s.clock.now()
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ConnState:         s.connState,
		ErrorLog:          log.New(io.Discard, "", 0),
		ReadHeaderTimeout: time.Minute,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	if s.tls != nil {
		// TLS ends in conn: net/http's server sees HTTP/2 without it.
		s.http.Protocols = new(http.Protocols)
		s.http.Protocols.SetHTTP1(true)
		s.http.Protocols.SetUnencryptedHTTP2(!cfg.noHTTP2)
	}
	s.spawn(func() { s.clock.loop(s.ctx) })
	s.spawn(func() {
		if err := s.http.Serve(listener{s.listener, s}); err != nil && !errors.Is(err, http.ErrServerClosed) && s.ctx.Err() == nil {
			panic("ryzetest: " + err.Error())
		}
	})
	return s, nil
}

func (s *Server) listen() error {
	var host string
	if s.cfg.inMemory {
		s.listener = newPipeListener()
		s.URL = "http://localhost:0" // a port where nothing can listen: without HTTPClient a request reaches nobody
	} else {
		l, err := net.Listen("tcp", s.cfg.listen)
		if err != nil {
			return err
		}
		s.listener = l
		s.URL = "http://" + l.Addr().String()
		host, _, _ = net.SplitHostPort(s.cfg.listen) // it was listened on
	}
	if s.cfg.tls {
		var err error
		if s.tls, err = serverTLS(host, s.cfg.noHTTP2); err != nil {
			s.listener.Close()
			return err
		}
		s.URL = "https" + strings.TrimPrefix(s.URL, "http")
	}
	s.client = newClient(s.DialContext, s.Certificate())
	return nil
}

// DialContext connects to this server, whatever the address. It is what the
// transport of HTTPClient dials with.
func (s *Server) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	if s.takeRefusal() {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: s.listener.Addr(), Err: errRefused}
	}
	if l, ok := s.listener.(*pipeListener); ok {
		return l.dial(ctx)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", s.listener.Addr().String())
}

// RefuseConnections makes the next n dials through DialContext or HTTPClient
// fail, as if nobody listened. No byte leaves.
func (s *Server) RefuseConnections(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = n
}

func (s *Server) takeRefusal() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse <= 0 {
		return false
	}
	s.refuse--
	return true
}

// HTTPClient returns a client that reaches this server; with InMemory it is the
// only way. With WithTLS it trusts the certificate and speaks HTTP/2. It
// follows no redirects and uses no proxy.
func (s *Server) HTTPClient() *http.Client { return s.client }

// Close stops the server and all that it started, and leaves no goroutine. It
// may be called again.
func (s *Server) Close() {
	s.once.Do(func() {
		s.gate.Lock()
		s.cancel()
		s.gate.Unlock()
		s.listener.Close()
		s.http.Close()
		s.work.Wait()
		s.client.CloseIdleConnections()
		s.hooks.CloseIdleConnections()
		s.fetcher.CloseIdleConnections()
		s.conns.Wait()
		close(s.closed)
	})
	<-s.closed
}

// spawn runs fn in a goroutine that Close waits for. Once the server closes it
// runs nothing.
func (s *Server) spawn(fn func()) {
	if !s.begin() {
		return
	}
	go func() {
		defer s.work.Done()
		fn()
	}()
}

// begin registers work that Close waits for; the caller owes work.Done.
func (s *Server) begin() bool {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.work.Add(1)
	return true
}

// Now returns the server's time: real time (or that of the synctest bubble)
// plus what Advance added.
func (s *Server) Now() time.Time { return s.clock.now() }

// Sleep waits until d has passed on the server's clock, which Advance moves. It
// returns the context's error when that ends first, and context.Canceled when the
// server is closed.
func (s *Server) Sleep(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(s.ctx, cancel) //nolint:contextcheck // the server's own end
	defer stop()
	return s.clock.sleep(ctx, d)
}

// Advance moves the server's time forward, for rate windows, QR codes,
// receipts, delays and webhook retries. When it returns, what was due has run,
// in order; webhook attempts may still wait for their receiver. The clocks of
// clients do not move.
func (s *Server) Advance(d time.Duration) {
	s.clock.advance(d)
	s.changed(ChangeClock)
}

// AddAccount adds an account with its own token and quota of instances, to play
// ownership errors.
func (s *Server) AddAccount(token string, quota int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts = append(s.accounts, &account{token: token, quota: quota})
}

// AddInstance creates an instance of the main account without a request.
// It panics when the name is taken.
func (s *Server) AddInstance(name string) *Instance {
	return s.AddInstanceTo(s.AccountToken, name)
}

// AddInstanceTo is AddInstance for the account with that token. It panics when
// there is no such account.
func (s *Server) AddInstanceTo(accountToken, name string) *Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc := s.account(accountToken)
	if acc == nil {
		panic("ryzetest: no account with that token")
	}
	if acc.find(name) != nil {
		panic(fmt.Sprintf("ryzetest: the account already has an instance %q", name))
	}
	i := s.newInstance(acc, name, s.instanceToken(name))
	i.seed.made = true
	return i
}

// Instance returns the instance of the main account with that name, or nil.
func (s *Server) Instance(name string) *Instance { return s.InstanceOf(s.AccountToken, name) }

// InstanceOf returns the instance of the account with that token, or nil.
func (s *Server) InstanceOf(accountToken, name string) *Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc := s.account(accountToken)
	if acc == nil {
		return nil
	}
	return acc.find(name)
}

// Eat spends n requests of the token's global window, as another program that
// shares the token would. A negative n gives them back.
func (s *Server) Eat(token string, n int) {
	s.windows.eat(token, n, s.clock.now())
	s.changed(ChangeServer)
}

// SetStranger lets another program share each token: for each counted request
// it uses share more (0.5: one for every two).
func (s *Server) SetStranger(share float64) { s.windows.setStranger(share) }

// Degrade makes GET /health answer 503, with the check ("db", "s3") failing for
// that reason. An empty reason heals the check.
func (s *Server) Degrade(check, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if reason == "" {
		delete(s.degraded, check)
		return
	}
	s.degraded[check] = reason
}

// Instances returns the instances of all accounts, in the order in which they
// were made, account by account.
func (s *Server) Instances() []*Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(s.instances())
}

// instances are those of all accounts. The caller holds the lock.
func (s *Server) instances() iter.Seq[*Instance] {
	return func(yield func(*Instance) bool) {
		for _, a := range s.accounts {
			for _, i := range a.instances {
				if !yield(i) {
					return
				}
			}
		}
	}
}

func (a *account) find(name string) *Instance {
	for _, i := range a.instances {
		if i.name == name {
			return i
		}
	}
	return nil
}

// instanceToken is the token of a new instance. The caller holds the lock.
func (s *Server) instanceToken(name string) string {
	if s.cfg.tokens != nil {
		token := s.cfg.tokens(name)
		if taken, _ := s.owner(token); token != "" && taken == nil {
			return token
		}
	}
	return newToken()
}

// newToken returns a random UUID, as the tokens in the samples of events are. The
// form of the service's tokens is not documented.
func newToken() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
