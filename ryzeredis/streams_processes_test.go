package ryzeredis_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// workerEnv has the configuration of a worker process.
const workerEnv = "RYZEREDIS_TEST_WORKER"

type workerConfig struct {
	Redis               []string // addresses; several are a cluster
	BaseURL, Token, Log string
	Instances           []string
	Lease               time.Duration
}

// note is a line in the log of a worker.
type note struct {
	Instance string
	Token    int64
	At       int64     // when it happened, in Unix nanoseconds
	Event    string    `json:",omitempty"` // the text of a message that was handled
	From, To time.Time `json:",omitzero"`  // of a gap that was handled
	State    string    `json:",omitempty"`
	Err      string    `json:",omitempty"`
}

// streamsWorker is a worker process. It ends with SIGTERM.
func streamsWorker() {
	var c workerConfig
	if err := json.Unmarshal([]byte(os.Getenv(workerEnv)), &c); err != nil {
		log.Fatal(err)
	}
	file, err := os.OpenFile(c.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	write := func(n note) {
		line, _ := json.Marshal(n)
		_, _ = file.Write(append(line, '\n'))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	rdb := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: c.Redis, MaxRetries: 1, DialTimeout: time.Second})
	account, err := ryze.NewAccountClient(c.Token, ryze.WithBaseURL(c.BaseURL), ryze.WithInsecureHTTP())
	if err != nil {
		log.Fatal(err)
	}
	handle := func(ctx context.Context, e *ryze.Event) error {
		now := time.Now().UnixNano()
		lease, ok := ryzeredis.LeaseOf(ctx)
		if !ok {
			log.Fatal("no lease in the context of a handler")
		}
		n := note{Instance: lease.Instance(), Token: lease.Token(), At: now}
		switch d := e.Data.(type) {
		case *ryze.MessageEvent:
			n.Event = d.Text
		case *ryze.GapEvent:
			n.From, n.To = d.From, d.To
		default:
			return nil
		}
		write(n)
		return nil
	}
	store, err := ryzeredis.NewDedupeStore(rdb)
	if err != nil {
		log.Fatal(err)
	}
	inbox, err := ryze.NewInbox(ryzeredis.WhileHeld(handle), ryze.WithDedupeStore(store))
	if err != nil {
		log.Fatal(err)
	}
	streams, err := ryzeredis.NewStreams(rdb, ryzeredis.WithStreamLease(c.Lease), ryzeredis.WithOpenRate(30, 6),
		ryzeredis.WithStreamHandler(func(s ryzeredis.StreamChange) {
			n := note{Instance: s.Instance, Token: s.Token, State: string(s.State), At: time.Now().UnixNano()}
			if s.Err != nil {
				n.Err = s.Err.Error()
			}
			write(n)
		}))
	if err != nil {
		log.Fatal(err)
	}
	streams.Set(c.Instances...)
	_ = streams.Run(ctx, func(ctx context.Context, name string, opts ...ryze.SubscribeOption) (*ryze.Subscription, error) {
		return account.Instance(name).Subscribe(ctx, opts...)
	}, inbox.Handle)
}

// workers are the processes of a test.
type workers struct {
	t      *testing.T
	config workerConfig
	dir    string

	mu    sync.Mutex
	slots []*exec.Cmd
	names []string // of logs
	all   sync.WaitGroup
}

func (w *workers) start(slot int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.config
	c.Log = filepath.Join(w.dir, fmt.Sprintf("worker-%d-%d", slot, len(w.names)))
	text, err := json.Marshal(c)
	require.NoError(w.t, err)
	cmd := exec.Command(os.Args[0], "-test.run=^$") //nolint:gosec // this test
	cmd.Env = append(os.Environ(), workerEnv+"="+string(text))
	cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
	require.NoError(w.t, cmd.Start())
	w.slots[slot] = cmd
	w.names = append(w.names, c.Log)
	w.all.Go(func() { _ = cmd.Wait() })
}

func (w *workers) signal(slot int, sig os.Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.slots[slot].Process.Signal(sig)
}

func (w *workers) end(sig os.Signal) {
	for slot := range w.slots {
		w.signal(slot, syscall.SIGCONT)
		w.signal(slot, sig)
	}
	w.all.Wait()
}

// notes reads what all workers have written.
func (w *workers) notes() (all []note) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range w.names {
		text, _ := os.ReadFile(name) // it may not have come so far
		lines := bufio.NewScanner(bytes.NewReader(text))
		for lines.Scan() {
			var n note
			if json.Unmarshal(lines.Bytes(), &n) == nil { // else it was killed in the middle
				all = append(all, n)
			}
		}
	}
	slices.SortFunc(all, func(a, b note) int { return cmp.Compare(a.At, b.At) })
	return all
}

// sent is a message that was written to an instance's streams.
type sent struct {
	instance string
	at       time.Time
}

// fault is something that was done to a worker.
type fault struct {
	at      time.Time
	what    string
	slot    int
	holding []string // instances that it held
}

// TestEachStreamHasOneHolderWhateverHappens kills and pauses worker processes.
// RYZEREDIS_SHOW is how long, such as 2m; then it kills Redis, too.
func TestEachStreamHasOneHolderWhateverHappens(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many seconds")
	}
	duration, lease, lines := 8*time.Second, 1500*time.Millisecond, 60
	if text := os.Getenv("RYZEREDIS_SHOW"); text != "" {
		var err error
		duration, err = time.ParseDuration(text)
		require.NoError(t, err)
		lease, lines = 10*time.Second, 200
	}
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "everysec")
	showStreams(t, &streamsShow{
		processes: 5, lines: lines, duration: duration, lease: lease, addrs: []string{server.Addr}, rdb: server.Client, redis: server,
	})
}

func TestEachStreamHasOneHolderInACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many seconds")
	}
	t.Parallel()
	cluster := redistest.Cluster(t)
	showStreams(t, &streamsShow{
		processes: 3, lines: 20, duration: 5 * time.Second, lease: 1500 * time.Millisecond, addrs: cluster.Addrs(), rdb: cluster.Client,
	})
}

// streamsShow is what is done to workers, and for how long.
type streamsShow struct {
	processes, lines int
	duration, lease  time.Duration
	addrs            []string
	rdb              redis.UniversalClient
	redis            *redistest.Server // to be killed in long shows; nil for never
}

func showStreams(t *testing.T, show *streamsShow) {
	t.Helper()
	processes, lines, duration, lease := show.processes, show.lines, show.duration, show.lease
	sim := ryzetest.NewServer(ryzetest.WithQuota(lines), ryzetest.WithRateLimit(1_000_000))
	t.Cleanup(sim.Close)
	instances := make(map[string]*ryzetest.Instance, lines)
	w := &workers{t: t, dir: t.TempDir(), slots: make([]*exec.Cmd, processes)}
	w.config = workerConfig{Redis: show.addrs, BaseURL: sim.URL, Token: sim.AccountToken, Lease: lease}
	account, err := ryze.NewAccountClient(sim.AccountToken, ryze.WithBaseURL(sim.URL), ryze.WithInsecureHTTP())
	require.NoError(t, err)
	for i := range lines {
		name := fmt.Sprintf("line-%03d", i)
		line := sim.AddInstance(name)
		line.Pair(fmt.Sprintf("55119%08d", i))
		_, err := account.Instance(name).WebSocket.Ensure(t.Context(), ryze.WebSocketConfig{Events: []ryze.EventType{ryze.EventMessage}})
		require.NoError(t, err)
		instances[name] = line
		w.config.Instances = append(w.config.Instances, name)
	}
	watch, err := ryzeredis.NewStreams(show.rdb)
	require.NoError(t, err)
	watch.Set(w.config.Instances...)
	for slot := range processes {
		w.start(slot)
	}
	t.Cleanup(func() { w.end(syscall.SIGKILL) })
	allOpen := func() bool {
		for _, line := range instances {
			if line.WebSockets() != 1 {
				return false
			}
		}
		stats, err := watch.Stats(t.Context())
		return err == nil && !slices.ContainsFunc(stats.Holders, func(h ryzeredis.StreamHolder) bool { return h.Worker == "" || h.Whole.IsZero() })
	}
	began := time.Now()
	require.Eventually(t, allOpen, 60*time.Second, 100*time.Millisecond, "all streams are open")
	t.Logf("%d streams were open %v after %d processes were started", lines, time.Since(began).Round(100*time.Millisecond), processes)

	// People write all the time.
	written := make(map[string]sent)
	ctx, cancel := context.WithCancel(t.Context())
	var people sync.WaitGroup
	people.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			name := w.config.Instances[rand.N(lines)]
			text := fmt.Sprintf("message %d", n)
			written[text] = sent{name, time.Now()}
			instances[name].Receive(ryzetest.Incoming{From: fmt.Sprintf("55218%08d", rand.N(50)), Text: text})
			time.Sleep(4 * time.Millisecond)
		}
	})
	var faults []fault
	until := time.Now().Add(duration)
	var redisAt time.Time
	if os.Getenv("RYZEREDIS_SHOW") != "" && show.redis != nil {
		redisAt = time.Now().Add(duration / 2)
	}
	for time.Now().Before(until) {
		slot := rand.N(processes)
		f := fault{at: time.Now(), slot: slot, what: "kill"}
		if stats, err := watch.Stats(t.Context()); err == nil {
			w.mu.Lock()
			pid := fmt.Sprintf("-%d-", w.slots[slot].Process.Pid)
			w.mu.Unlock()
			for _, h := range stats.Holders {
				if bytes.Contains([]byte(h.Worker), []byte(pid)) {
					f.holding = append(f.holding, h.Instance)
				}
			}
		}
		f.at = time.Now()
		switch {
		case !redisAt.IsZero() && time.Now().After(redisAt):
			redisAt = time.Time{}
			f.what, f.holding = "redis", nil
			show.redis.Kill()
			time.Sleep(lease / 2)
			show.redis.Restart()
		case rand.N(2) == 0:
			w.signal(slot, syscall.SIGKILL)
			time.Sleep(rand.N(lease * 2))
			w.start(slot)
		default:
			f.what = "pause"
			w.signal(slot, syscall.SIGSTOP)
			time.Sleep(lease/2 + rand.N(lease*2))
			w.signal(slot, syscall.SIGCONT)
		}
		faults = append(faults, f)
		time.Sleep(rand.N(lease))
	}
	require.Eventually(t, allOpen, 60*time.Second, 100*time.Millisecond, "all streams are open again")
	time.Sleep(lease)
	cancel()
	people.Wait()
	time.Sleep(time.Second) // what was written last is on its way
	w.end(syscall.SIGTERM)
	notes := w.notes()
	figures := judge(t, notes, written)
	takeover(t, faults, notes)
	for _, f := range faults {
		t.Logf("%v %s of worker %d, which held %d", f.at.UTC().Format("05.000"), f.what, f.slot, len(f.holding))
	}
	t.Logf("%d faults, %d messages: %s", len(faults), len(written), figures)
}

// judge holds the logs against the rules.
func judge(t *testing.T, notes []note, written map[string]sent) string {
	t.Helper()
	last := make(map[string]int64) // by instance: the token that delivered last
	handled := make(map[string]int)
	gaps := make(map[string][]note)
	two, opened := 0, 0
	for _, n := range notes {
		switch {
		case n.State == "opened":
			opened++
		case n.State != "":
		default:
			if n.Token < last[n.Instance] {
				two++
				t.Errorf("%s: a holder with token %d delivered after one with token %d", n.Instance, n.Token, last[n.Instance])
			}
			last[n.Instance] = n.Token
			if n.Event != "" {
				handled[n.Event]++
			} else {
				gaps[n.Instance] = append(gaps[n.Instance], n)
			}
		}
	}
	twice, covered, lost := 0, 0, 0
	for text, s := range written {
		switch handled[text] {
		case 1:
			continue
		case 0:
		default:
			twice++
			continue
		}
		if slices.ContainsFunc(gaps[s.instance], func(g note) bool { return !g.From.After(s.at) && !g.To.Before(s.at) }) {
			covered++
			continue
		}
		lost++
		if lost <= 5 {
			var text string
			for _, n := range notes {
				if d := time.Unix(0, n.At).Sub(s.at); n.Instance == s.instance && d > -10*time.Second && d < 10*time.Second {
					text += fmt.Sprintf("\n  %+v: %+v", d, n)
				}
			}
			t.Errorf("a message of %s, written at %v, was neither handled nor is it in a gap; around it:%s", s.instance, s.at.UTC(), text)
		}
	}
	assert.Zero(t, twice, "messages that were handled twice")
	assert.Zero(t, lost, "messages that were neither handled nor in a gap")
	assert.NotEmpty(t, handled)
	return fmt.Sprintf("%d handled once, %d in gaps that were told, %d twice, %d lost; %d deliveries of two holders; streams were opened %d times",
		len(handled)-twice, covered, twice, lost, two, opened)
}

// takeover reports how long the instances of a worker that was killed were
// without a holder.
func takeover(t *testing.T, faults []fault, notes []note) {
	t.Helper()
	var took []time.Duration
	for _, f := range faults {
		if f.what != "kill" {
			continue
		}
		for _, name := range f.holding {
			i := slices.IndexFunc(notes, func(n note) bool {
				return n.Instance == name && n.State == "opened" && n.At > f.at.UnixNano()
			})
			if i >= 0 {
				took = append(took, time.Unix(0, notes[i].At).Sub(f.at))
			}
		}
	}
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	t.Logf("takeover after kill -9, of %d streams: median %v, worst %v", len(took),
		took[len(took)/2].Round(10*time.Millisecond), took[len(took)-1].Round(10*time.Millisecond))
}
