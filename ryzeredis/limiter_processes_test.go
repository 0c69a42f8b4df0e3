package ryzeredis_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"sync"
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

// limiterWorkerEnv has the configuration of a worker process.
const limiterWorkerEnv = "RYZEREDIS_TEST_LIMITER"

const (
	isUp       = "up"
	sharers    = 20 // processes with one token
	shareQuota = 200
)

// fullOnes is how many windows are looked at after the first.
func fullOnes() int {
	if os.Getenv("RYZEREDIS_SHOW") != "" {
		return 5
	}
	return 3
}

type limiterWorkerConfig struct {
	Redis, BaseURL, Token string
	Patience              time.Duration
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// limiterWorker is the main function of a worker process, if this is one. It sends
// as much as it may until its input ends, and prints what fails.
func limiterWorker() bool {
	redis.SetLogger(silent{}) // it tells of every connection that fails
	text := os.Getenv(limiterWorkerEnv)
	if text == "" {
		return false
	}
	var c limiterWorkerConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		log.Fatal(err)
	}
	limiter, err := ryzeredis.NewLimiter(redis.NewClient(&redis.Options{Addr: c.Redis}), ryzeredis.WithPatience(c.Patience),
		ryzeredis.WithStatus(func(err error) { fmt.Println("status", err) }))
	if err != nil {
		log.Fatal(err)
	}
	inst, err := ryze.NewInstanceClient("line", c.Token, ryze.WithBaseURL(c.BaseURL), ryze.WithLimiter(limiter))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	up := sync.OnceFunc(func() { fmt.Println(isUp) })
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := inst.Chats.Typing(ctx, "5511987654321@s.whatsapp.net", 0); err != nil && ctx.Err() == nil {
					fmt.Println("failed", err)
				}
				up()
			}
		})
	}
	wg.Wait()
	if err := limiter.Close(); err != nil {
		fmt.Println("failed", err)
	}
	return true
}

// sharing is a token that many processes share.
type sharing struct {
	t      *testing.T
	sim    *ryzetest.Server
	redis  *redistest.Server
	length time.Duration // of a window
	config limiterWorkerConfig

	up        chan struct{} // a value for each process that has begun
	began     time.Time     // when all had
	mu        sync.Mutex
	seen      []ryzetest.Request
	lines     map[string]int // what the workers print
	processes []*exec.Cmd
	inputs    []io.Closer
	output    sync.WaitGroup
}

// share starts the processes. RYZEREDIS_SHOW is how long the test takes, such as 6m
// for windows of a minute.
func share(t *testing.T, patience time.Duration) *sharing {
	t.Helper()
	if testing.Short() {
		t.Skip("takes many seconds")
	}
	s := &sharing{t: t, length: 2 * time.Second, up: make(chan struct{}, 100), lines: make(map[string]int), redis: redistest.Start(t)}
	if text := os.Getenv("RYZEREDIS_SHOW"); text != "" {
		d, err := time.ParseDuration(text)
		require.NoError(t, err)
		s.length = min(max(s.length, (d/time.Duration(fullOnes()+1)).Truncate(time.Second)), time.Minute)
	}
	s.sim = ryzetest.NewServer(ryzetest.WithRateLimit(shareQuota), ryzetest.WithRateWindow(s.length), ryzetest.WithObserver(func(r ryzetest.Request) {
		if r.Status == 0 {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.seen = append(s.seen, r)
	}))
	t.Cleanup(s.sim.Close)
	line := s.sim.AddInstance("line")
	line.Pair("5511900000001")
	s.config = limiterWorkerConfig{Redis: s.redis.Addr, BaseURL: s.sim.URL, Token: line.Token(), Patience: patience}
	for range sharers {
		s.start()
	}
	for range sharers {
		select {
		case <-s.up:
		case <-time.After(s.length + time.Minute):
			t.Fatal("not all processes send something")
		}
	}
	s.began = time.Now()
	return s
}

func (s *sharing) start() {
	text, err := json.Marshal(s.config)
	require.NoError(s.t, err)
	cmd := exec.Command(os.Args[0], "-test.run=^$") //nolint:gosec // this test
	cmd.Env = append(os.Environ(), limiterWorkerEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(s.t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, cmd.Start())
	s.t.Cleanup(func() { _ = cmd.Process.Kill() })
	s.processes, s.inputs = append(s.processes, cmd), append(s.inputs, in)
	s.output.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if lines.Text() == isUp {
				s.up <- struct{}{}
				continue
			}
			s.mu.Lock()
			s.lines[lines.Text()]++
			s.mu.Unlock()
		}
		_ = cmd.Wait()
	})
}

// wait lets so much of windows pass.
func (s *sharing) wait(windows float64) {
	time.Sleep(time.Duration(windows * float64(s.length)))
}

// end ends the processes, makes sure that no call has failed, and returns what the
// windows were used for that began when all processes had.
func (s *sharing) end() (windows []useOfWindow) {
	for _, in := range s.inputs {
		_ = in.Close()
	}
	s.output.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for line, n := range s.lines {
		s.t.Logf("%d times %s", n, line)
		assert.NotContains(s.t, line, "failed")
	}
	slices.SortFunc(s.seen, func(a, b ryzetest.Request) int { return a.Time.Compare(b.Time) })
	var reset time.Time
	early := 0
	for _, r := range s.seen {
		if !r.Time.Before(reset) { // as the simulator does it
			late := r.Time.Sub(reset)
			if len(windows) == 0 {
				late = 0
			}
			reset = r.Time.Truncate(time.Second).Add(s.length)
			windows = append(windows, useOfWindow{late: late})
			if r.Time.Before(s.began) {
				early = len(windows)
			}
		}
		if w := &windows[len(windows)-1]; r.Status == http.StatusTooManyRequests {
			w.refused = append(w.refused, reset.Sub(r.Time))
		} else {
			w.served++
		}
	}
	for i, w := range windows {
		s.t.Logf("window %d: %d of %d served, %d refused %v before it ended; it began %v late", i+1, w.served, shareQuota, len(w.refused), w.refused[:min(len(w.refused), 3)], w.late)
	}
	return windows[early:]
}

type useOfWindow struct {
	served  int
	late    time.Duration   // since the window before had ended
	refused []time.Duration // until the window ended
}

func TestProcessesShareOneToken(t *testing.T) {
	s := share(t, 2*time.Second) // a machine that is busy with other tests is slow, too
	s.wait(float64(fullOnes()) + 1.2)
	windows := s.end()
	require.Greater(t, len(windows), fullOnes())
	for i, w := range windows[:fullOnes()] {
		assert.GreaterOrEqual(t, w.served, shareQuota*99/100, "full window %d", i+1)
		assert.Empty(t, w.refused, "full window %d", i+1)
	}
}

// In every window a process is killed, and another takes its place. Then Redis is
// killed, too, and comes back empty.
func TestNoCallFailsWhenProcessesAndRedisDie(t *testing.T) {
	s := share(t, 250*time.Millisecond)
	killed := fullOnes() - 1
	for i := range killed {
		s.wait(0.5)
		require.NoError(t, s.processes[i].Process.Kill())
		s.start()
		if i == killed/2 { // in the middle
			s.redis.Kill()
			s.wait(0.25)
			s.redis.Restart()
			s.wait(0.25)
			continue
		}
		s.wait(0.5)
	}
	s.wait(2.3) // the rest of a window, and a whole one
	windows := s.end()
	require.Greater(t, len(windows), 2)
	assert.GreaterOrEqual(t, windows[len(windows)-2].served, shareQuota*9/10, "the last whole window, all is well again")
}
