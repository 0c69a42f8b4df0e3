package ryzeredis_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzeredis/internal/redistest"
)

const (
	workerRedis    = "RYZEREDIS_WORKER_REDIS" // has the test binary be a worker
	workerService  = "RYZEREDIS_WORKER_SERVICE"
	workerPatience = "RYZEREDIS_WORKER_PATIENCE"
	showProcesses  = "RYZEREDIS_PROCESSES" // of the show, 8 without it

	quota  = 300
	length = 3 * time.Second
)

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// limiterWorker is the main function of a worker process, if this is one.
func limiterWorker() bool {
	redis.SetLogger(silent{})
	addr := os.Getenv(workerRedis)
	if addr != "" {
		worker(addr, os.Getenv(workerService))
	}
	return addr != ""
}

// worker sends as much as it may until its input ends, and prints what fails.
func worker(addr, service string) {
	say := func(format string, a ...any) { fmt.Println(fmt.Sprintf(format, a...)) }
	patience, err := time.ParseDuration(os.Getenv(workerPatience))
	if err != nil {
		say("%v", err)
		return
	}
	limiter, err := ryzeredis.NewLimiter(redis.NewClient(&redis.Options{Addr: addr}), ryzeredis.WithPatience(patience),
		ryzeredis.WithStatus(func(err error) { fmt.Fprintln(os.Stderr, os.Getpid(), "Redis is away:", err) }))
	if err != nil {
		say("%v", err)
		return
	}
	inst, err := ryze.NewInstanceClient("line", "token", ryze.WithBaseURL(service), ryze.WithLimiter(limiter))
	if err != nil {
		say("%v", err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := inst.Chats.SendPresence(ctx, "5511987654321@s.whatsapp.net", ryze.PresenceTyping, 0); err != nil && ctx.Err() == nil {
					say("%v", err)
				}
			}
		})
	}
	wg.Wait()
	if err := limiter.Close(); err != nil {
		say("%v", err)
	}
}

// service has true windows, which begin at full seconds.
type service struct {
	mu      sync.Mutex
	reset   time.Time
	windows []count
	changed chan struct{} // takes a value when a window has begun, if there is room
}

type count struct {
	served, refused int
	at              []time.Duration // of the refusals, until the window ended
}

func (s *service) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	now := time.Now()
	if !now.Before(s.reset) {
		s.reset = now.Truncate(time.Second).Add(length)
		s.windows = append(s.windows, count{})
		select {
		case s.changed <- struct{}{}:
		default:
		}
	}
	at := &s.windows[len(s.windows)-1]
	ok := at.served < quota
	if ok {
		at.served++
	} else {
		at.refused++
		at.at = append(at.at, s.reset.Sub(now))
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Date", now.UTC().Format(http.TimeFormat))
	h.Set("X-RateLimit-Limit", strconv.Itoa(quota))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(quota-at.served))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(s.reset.Unix(), 10))
	s.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"success":false,"error":{"message":"Rate limit exceeded. Try again later."}}`)
		return
	}
	_, _ = io.WriteString(w, `{"success":true,"data":{}}`)
}

// turn waits until the next window begins.
func (s *service) turn(t *testing.T) {
	t.Helper()
	select {
	case <-s.changed:
	case <-time.After(5 * length):
		t.Fatal("no window begins any more")
	}
}

type show struct {
	*service
	redis   *redistest.Server
	workers []*exec.Cmd
	inputs  []io.Closer
	lines   chan string
	done    sync.WaitGroup
}

func startShow(t *testing.T, patience time.Duration) *show {
	t.Helper()
	n := 8
	if s := os.Getenv(showProcesses); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	s := &show{service: &service{changed: make(chan struct{}, 1)}, redis: redistest.Start(t), lines: make(chan string, 10_000)}
	server := httptest.NewServer(s.service)
	t.Cleanup(server.Close)
	for range n {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), workerRedis+"="+s.redis.Addr, workerService+"="+server.URL, workerPatience+"="+patience.String())
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		s.workers, s.inputs = append(s.workers, cmd), append(s.inputs, in)
		s.done.Go(func() {
			for lines := bufio.NewScanner(out); lines.Scan(); {
				s.lines <- lines.Text()
			}
			_ = cmd.Wait()
		})
	}
	return s
}

// end ends the workers, and returns what they had to say.
func (s *show) end() (failed []string) {
	for _, in := range s.inputs {
		_ = in.Close()
	}
	s.done.Wait()
	close(s.lines)
	for line := range s.lines {
		failed = append(failed, line)
	}
	return failed
}

func TestProcessesShareOneToken(t *testing.T) {
	s := startShow(t, 2*time.Second) // a machine that is busy with other tests is slow, too
	for range 7 {
		s.turn(t)
	}
	assert.Empty(t, s.end())
	for i, w := range s.windows[:6] {
		t.Logf("window %d: %d of %d served, %d refused %v before it ended", i+1, w.served, quota, w.refused, w.at)
	}
	least := quota * 97 / 100
	if os.Getenv(showProcesses) != "" {
		least = quota * 99 / 100
	}
	for i, w := range s.windows[1:6] {
		assert.GreaterOrEqual(t, w.served, least, "window %d", i+2)
		assert.Zero(t, w.refused, "window %d", i+2)
	}
}

func TestNoCallFailsWhenProcessesAndRedisDie(t *testing.T) {
	s := startShow(t, 250*time.Millisecond)
	for range 2 {
		s.turn(t)
	}
	for _, w := range s.workers[:2] {
		require.NoError(t, w.Process.Kill())
	}
	s.turn(t)
	s.redis.Kill()
	time.Sleep(length / 3)
	s.redis.Restart()
	for range 3 {
		s.turn(t)
	}
	assert.Empty(t, s.end())
	for i, w := range s.windows[:5] {
		t.Logf("window %d: %d of %d served, %d refused %v before it ended", i+1, w.served, quota, w.refused, w.at)
	}
	assert.GreaterOrEqual(t, s.windows[4].served, quota*9/10, "the last whole window, all is well again")
}
