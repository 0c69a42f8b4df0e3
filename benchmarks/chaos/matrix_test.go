package chaos

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

var (
	runAll   = flag.Bool("whole", false, "run the whole matrix, not a sample")
	everyRow = flag.Bool("every-row", false, "print a row for each fault, not for each kind of fault")
	only     = flag.String("cell", "", "run the cells whose name contains this")
)

// sampled is which share of the matrix the ordinary tests run, beside the text
// send: one cell in so many. It is a prime number, so that the sample does not
// keep step with anything.
const sampled = 401

const (
	patience  = 800 * time.Millisecond // with an attempt that gets no reply
	calm      = 5 * time.Second        // the same, where the machine is not to blame
	limit     = 10 * time.Second       // of any other attempt: never reached
	linking   = time.Second            // which the service takes between two groups
	quotaWait = 4 * time.Second        // how long a call may wait for quota
	tooLong   = 30 * time.Second       // a call that has not returned by then hangs
)

// cell is one call that meets one fault.
type cell struct {
	op     *ryze.Operation
	call   *call
	fault  *fault
	proto  string
	always bool // the fault strikes every attempt, not only the first
	warm   bool // the connection was used before
}

func (c *cell) String() string {
	times, conn := "once", "new connection"
	if c.always {
		times = "always"
	}
	if c.warm {
		conn = "used connection"
	}
	return strings.Join([]string{c.op.ID, c.fault.name, c.proto, times, conn}, ", ")
}

// cells is the whole matrix.
func cells(t *testing.T) (list []cell) {
	t.Helper()
	byID := map[string]*call{}
	for i := range calls {
		byID[calls[i].op] = &calls[i]
	}
	all, operations := faults(), ryze.Operations()
	assert.Len(t, calls, len(operations))
	for i := range operations {
		op := &operations[i]
		require.Contains(t, byID, op.ID)
		for k := range all {
			f := &all[k]
			for _, proto := range f.over {
				for _, always := range []bool{false, true} {
					for _, warm := range []bool{false, true} {
						if always && (f.once || f.name == "none") || !f.strikes(warm, i+k) {
							continue
						}
						c := cell{op: op, call: byID[op.ID], fault: f, proto: proto, warm: warm}
						if always && f.isReply() && expected(&c).most == 1 {
							continue // there is no second attempt to strike
						}
						c.always = always
						list = append(list, c)
					}
				}
			}
		}
	}
	return list
}

// verdict is what became of a cell.
type verdict struct {
	cell     *cell
	err      error
	kind     kind
	took     time.Duration
	requests int // that the server saw
	applied  int // of them
	left     int // connections that are open at the end
	faults   []string
	twice    bool
	untyped  bool
	hang     bool
	wrong    bool
	leak     bool
	again    bool // it is the second try
}

func (v *verdict) blame(what *bool, format string, args ...any) {
	*what = true
	v.faults = append(v.faults, fmt.Sprintf(format, args...))
}

// soon is a reset of the quota for which a call can wait.
func soon(_, now time.Time) string { return strconv.FormatInt(now.Add(time.Second).Unix(), 10) }

// building bounds how many worlds are made at a time. It takes most of the work,
// and calls under way must not have to wait for it.
var building = make(chan struct{}, 2*runtime.GOMAXPROCS(0))

// run makes the call of a cell, in a world of its own.
func (c *cell) run(patience time.Duration) *verdict {
	built := sync.OnceFunc(func() { <-building })
	building <- struct{}{}
	defer built()
	options := []ryzetest.Option{ryzetest.WithRateLimit(1 << 30), ryzetest.WithCreateRateLimit(1 << 30), ryzetest.WithReset(soon)}
	if c.proto == http2 {
		options = append(options, ryzetest.WithTLS())
	}
	sim := ryzetest.NewServer(options...)
	defer sim.Close()
	dialer := &dialer{dial: sim.DialContext}
	transport := &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 8}
	if c.proto == http2 {
		pool := x509.NewCertPool()
		pool.AddCert(sim.Certificate())
		// The cheapest handshake: a third of the time goes into it.
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519}}
		transport.ForceAttemptHTTP2 = true
	}
	timeout := limit
	if c.fault.silent() {
		timeout = patience
		if c.op.ID == "communities.link" {
			timeout += linking
		}
	}
	client := must(ryze.New(
		ryze.WithBaseURL(sim.URL), ryze.WithHTTPClient(&http.Client{Transport: transport, Timeout: timeout}),
		ryze.WithRetry(ryze.RetryPolicy{MaxAttempts: attempts, MinBackoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond, MaxRateLimitWait: quotaWait}),
	))
	other := must(ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithHTTPClient(sim.HTTPClient())))
	w := &world{sim: sim, client: client, account: client.Account(sim.AccountToken)}
	w.populate()
	w.inst, w.other = client.Instance(line, w.phone.Token()), other.Instance(line, w.phone.Token())
	if c.call.prepare != nil {
		c.call.prepare(w)
	}
	for warm := !c.warm; !warm; {
		_, err := client.Health(context.Background())
		warm = err == nil // the machine may be slow
	}
	route := c.op.Method + " " + c.op.Path
	before := len(sim.Requests())
	c.strike(sim, route)
	built()

	v := &verdict{cell: c}
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	defer cancel()
	began := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- c.call.do(ctx, w) }()
	select {
	case v.err = <-ended:
		v.took = time.Since(began)
		v.kind = kindOf(c.op.ID, v.err)
	case <-time.After(tooLong + 5*time.Second):
		v.took, v.kind = time.Since(began), unnatural
	}
	if ctx.Err() != nil {
		v.blame(&v.hang, "it took %v", v.took.Round(time.Millisecond))
	}
	_ = client.Close()
	if v.left = dialer.wait(transport, 5*time.Second); v.left != 0 {
		v.blame(&v.leak, "%d connections are left", v.left)
	}
	sim.Close()
	for _, r := range sim.Requests()[before:] {
		if r.Route != route {
			v.blame(&v.wrong, "a request of another route: %s", r.Route)
			continue
		}
		v.requests++
		if r.Applied {
			v.applied++
		}
	}
	for _, violation := range sim.Violations() {
		v.blame(&v.wrong, "%s", violation)
	}
	v.judge()
	if len(v.faults) == 0 {
		v.err = nil // it may hold a reply
	}
	return v
}

// strike makes the fault happen to what comes next.
func (c *cell) strike(sim *ryzetest.Server, route string) {
	times := 1
	if c.always {
		times = forever
	}
	if c.fault.play != nil {
		c.fault.play(sim, times)
		return
	}
	if c.fault.name == "none" {
		return
	}
	f := c.fault.is
	f.Times = times
	sim.Fault(route, f)
}

// judge holds what became of a cell against the table, and what the caller was
// told against what the service did.
func (v *verdict) judge() {
	want := expected(v.cell)
	once := !v.cell.op.Repeatable
	switch {
	case once && v.applied > 1:
		v.blame(&v.twice, "carried out %d times", v.applied)
	case once && v.requests > want.most:
		v.blame(&v.twice, "sent %d times, at most %d are allowed", v.requests, want.most)
	case v.requests < want.least || v.requests > want.most:
		v.blame(&v.wrong, "%d requests, want %d to %d", v.requests, want.least, want.most)
	}
	switch {
	case v.kind == unnatural:
	case v.kind == untyped:
		v.blame(&v.untyped, "untyped error")
	case !slices.Contains(want.kinds, v.kind):
		v.blame(&v.wrong, "%s, want %v", v.kind, want.kinds)
	case v.kind == done && v.applied == 0 && once:
		v.blame(&v.wrong, "told as done, and it was not")
	case v.kind == notSent && v.applied > 0 && once:
		v.blame(&v.wrong, "told as not done, and it was")
	}
}

// mayBeSlow reports whether a cell failed because the machine had too much to do:
// an attempt that should have been answered was not in time, or a GOAWAY was lost
// with the connection that ended after it, and the caller was told of a doubt in
// the place of a certainty. It gets another try, alone and with more patience.
// What was sent twice, or told in an untyped error, has no excuse.
func (v *verdict) mayBeSlow() bool {
	overtaken := v.kind == unknown && v.cell.fault.is.GoAway != nil
	return v.wrong && (v.cell.fault.silent() || overtaken) && !v.twice && !v.untyped && !v.hang && !v.leak
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// dialer counts the connections that are open.
type dialer struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	mu   sync.Mutex
	open int
	none chan struct{} // closed when there are none any more
}

type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	defer c.closed()
	return c.Conn.Close()
}

func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == 0 {
		d.none = make(chan struct{})
	}
	d.open++
	return &countedConn{conn, sync.OnceFunc(d.closed)}, nil
}

func (d *dialer) closed() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open--; d.open == 0 {
		close(d.none)
	}
}

// wait returns how many connections are still open when the time is over. A
// connection of HTTP/2 becomes idle a moment after the reply was read, so once may
// be too early to close it.
func (d *dialer) wait(transport *http.Transport, atMost time.Duration) int {
	end := time.After(atMost)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		d.mu.Lock()
		open, none := d.open, d.none
		d.mu.Unlock()
		if open == 0 {
			return 0
		}
		select {
		case <-none:
		case <-again.C:
			transport.CloseIdleConnections()
		case <-end:
			return open
		}
	}
}

// chosen is what runs: the matrix, a part of it, or the sample.
func chosen(all []cell) []*cell {
	var list []*cell
	for i := range all {
		c := &all[i]
		switch {
		case *only != "":
			if !strings.Contains(c.String(), *only) {
				continue
			}
		case *runAll:
		case c.fault.isHuge() || i%sampled != 0 && (c.op.ID != "messages.text" || c.always || c.warm && !c.fault.warm && !c.fault.isReply()):
			continue
		}
		list = append(list, c)
	}
	return list
}

// play runs cells: those that mostly wait many at a time, huge ones few.
func play(list []*cell) []*verdict {
	verdicts := make([]*verdict, len(list))
	queues := map[string]chan int{}
	var workers sync.WaitGroup
	var done atomic.Int64
	if *runAll {
		defer tellProgress(&done, len(list))()
	}
	for name, n := range map[string]int{"busy": 2 * runtime.GOMAXPROCS(0), "waiting": 128, "huge": 2} {
		queue := make(chan int, len(list))
		queues[name] = queue
		for range n {
			workers.Go(func() {
				for i := range queue {
					verdicts[i] = list[i].run(patience)
					done.Add(1)
				}
			})
		}
	}
	for i, c := range list {
		switch {
		case c.fault.isHuge():
			queues["huge"] <- i
		case c.fault.waits(), c.op.ID == "communities.link":
			queues["waiting"] <- i
		default:
			queues["busy"] <- i
		}
	}
	for _, queue := range queues {
		close(queue)
	}
	workers.Wait()
	few := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, v := range verdicts {
		if v.mayBeSlow() {
			few <- struct{}{}
			workers.Go(func() {
				defer func() { <-few }()
				verdicts[i] = list[i].run(calm)
				verdicts[i].again = true
			})
		}
	}
	workers.Wait()
	return verdicts
}

// tellProgress says every ten seconds how far a long run is, until it is stopped.
func tellProgress(done *atomic.Int64, all int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		tick := time.NewTicker(10 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				fmt.Fprintf(os.Stderr, "%d of %d calls\n", done.Load(), all)
			}
		}
	}()
	return cancel
}

// TestMatrix runs a sample of the matrix, or with -whole all of it.
func TestMatrix(t *testing.T) {
	log.SetOutput(io.Discard) // net/http's protocol errors, which are meant
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	list := chosen(cells(t))
	before := runtime.NumGoroutine()
	began := time.Now()
	verdicts := play(list)
	r := newReport(verdicts)
	r.took = time.Since(began)
	r.goroutines = leftAfter(before)
	if r.goroutines > 0 {
		var b strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&b, 1) // a builder takes everything
		t.Errorf("%d goroutines are left:\n%s", r.goroutines, b.String())
	}
	if testing.Verbose() {
		fmt.Print(r.table())
	}
	fmt.Println(r.sum())
	bad := slices.DeleteFunc(verdicts, func(v *verdict) bool { return len(v.faults) == 0 })
	slices.SortStableFunc(bad, func(a, b *verdict) int { return cmp.Compare(a.cell.fault.name, b.cell.fault.name) })
	for i, v := range bad {
		if i == 100 {
			t.Errorf("and %d more", len(bad)-i)
			break
		}
		t.Errorf("%s: %s (%d requests, %d carried out, %v): %v", v.cell, strings.Join(v.faults, "; "), v.requests, v.applied, v.took.Round(time.Millisecond), v.err)
	}
}

// leftAfter returns how many goroutines more there are than before, when those
// that are about to end have had time to.
func leftAfter(before int) int {
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return 0
		}
		time.Sleep(10 * time.Millisecond)
	}
	return runtime.NumGoroutine() - before
}
