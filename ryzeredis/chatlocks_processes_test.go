package ryzeredis_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
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

// locksWorkerEnv has the configuration of a replica.
const locksWorkerEnv = "RYZEREDIS_TEST_LOCKS_WORKER"

type replicaConfig struct {
	Redis, Log, Addr string // Addr is a file to which it writes where it listens
	Lease            time.Duration
}

// chatNote is a line of the log that all replicas share. They are in the order in
// which they were written.
type chatNote struct {
	What string // place, start, end, lost; of the test: kill, pause
	PID  int
	Chat int `json:",omitempty"`
	N    int `json:",omitempty"`
}

// openLog returns what appends a line to a log of several processes.
func openLog(name string) (func(chatNote), error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return func(n chatNote) {
		line, _ := json.Marshal(n)
		_, _ = file.Write(append(line, '\n'))
	}, nil
}

// placedKey has the function that a delivery has called when it has its place.
type placedKey struct{}

// tellingLocks tell a delivery that it has its place in the line.
type tellingLocks struct{ ryze.ChatLocks }

func (l tellingLocks) Lock(ctx context.Context, keys []string, queued func()) (ryze.ChatLock, error) {
	return l.ChatLocks.Lock(ctx, keys, func() {
		ctx.Value(placedKey{}).(func())()
		queued()
	})
}

// locksWorker is a replica: it takes deliveries, and answers when the event has its
// place in the line. The body of the answer follows when it is handled.
func locksWorker() {
	var c replicaConfig
	if err := json.Unmarshal([]byte(os.Getenv(locksWorkerEnv)), &c); err != nil {
		log.Fatal(err)
	}
	write, err := openLog(c.Log)
	if err != nil {
		log.Fatal(err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: c.Redis})
	locks, err := ryzeredis.NewChatLocks(rdb, ryzeredis.WithChatLockLease(c.Lease))
	if err != nil {
		log.Fatal(err)
	}
	store, err := ryzeredis.NewDedupeStore(rdb, ryzeredis.WithDedupeLease(2*c.Lease))
	if err != nil {
		log.Fatal(err)
	}
	handle := func(ctx context.Context, e *ryze.Event) error {
		n := chatNote{What: "start", PID: os.Getpid()}
		if _, err := fmt.Sscan(e.Data.(*ryze.MessageEvent).Text, &n.Chat, &n.N); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		write(n)
		began := time.Now()
		work := rand.N(4 * time.Millisecond)
		if rand.N(10) == 0 {
			work = c.Lease / 4
		}
		time.Sleep(work)
		if time.Since(began) > c.Lease/2 { // it was paused; then it learns that soon
			select {
			case <-ctx.Done():
			case <-time.After(c.Lease / 2):
			}
		}
		n.What = "end"
		if ctx.Err() != nil {
			n.What = "lost"
		}
		write(n)
		return ctx.Err()
	}
	inbox, err := ryze.NewInbox(handle, ryze.WithChatLocks(tellingLocks{locks}), ryze.WithDedupeStore(store))
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(c.Addr+".new", []byte(l.Addr().String()), 0o600); err != nil {
		log.Fatal(err)
	}
	if err := os.Rename(c.Addr+".new", c.Addr); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // of a test
		body, _ := io.ReadAll(r.Body)
		e, err := ryze.ParseEvent(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		has := make(chan struct{})
		place := chatNote{What: "place", PID: os.Getpid()}
		_, _ = fmt.Sscan(e.Data.(*ryze.MessageEvent).Text, &place.Chat, &place.N)
		ctx := context.WithValue(r.Context(), placedKey{}, sync.OnceFunc(func() { write(place); close(has) }))
		done := make(chan error, 1)
		go func() { done <- inbox.Handle(ctx, e) }()
		select {
		case <-has:
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			err = <-done
		case err = <-done:
		}
		if err == nil {
			_, _ = io.WriteString(w, "handled")
		}
	})))
}

// replicas are the processes of a test.
type replicas struct {
	t      *testing.T
	config replicaConfig
	dir    string

	mu    sync.Mutex
	slots []*exec.Cmd
	addrs []string
	all   sync.WaitGroup
}

func (r *replicas) start(slot int) {
	c := r.config
	c.Addr = filepath.Join(r.dir, fmt.Sprintf("addr-%d-%d", slot, time.Now().UnixNano()))
	text, err := json.Marshal(c)
	require.NoError(r.t, err)
	cmd := exec.Command(os.Args[0], "-test.run=^$") //nolint:gosec // this test
	cmd.Env = append(os.Environ(), locksWorkerEnv+"="+string(text))
	cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
	require.NoError(r.t, cmd.Start())
	r.all.Go(func() { _ = cmd.Wait() })
	r.mu.Lock()
	r.slots[slot] = cmd
	r.mu.Unlock()
	require.Eventually(r.t, func() bool {
		addr, err := os.ReadFile(c.Addr)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.addrs[slot] = string(addr)
		return err == nil
	}, 30*time.Second, 5*time.Millisecond, "a replica comes up")
}

// any returns a replica, as a load balancer does.
func (r *replicas) any() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return "http://" + r.addrs[rand.N(len(r.addrs))]
}

// deliver gives an event to a replica. It returns when the event has its place in
// the line; the outcome comes later.
func (r *replicas) deliver(body []byte) (handled <-chan bool) {
	outcome := make(chan bool, 1)
	resp, err := http.Post(r.any(), "application/json", bytes.NewReader(body)) //nolint:gosec // of a test
	if err != nil {
		outcome <- false
		return outcome
	}
	go func() {
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		outcome <- err == nil && string(text) == "handled"
	}()
	return outcome
}

// A load balancer spreads the events of each chat over four processes, of which those
// that are at work are killed or paused.
func TestReplicasHandleAChatInOrderThroughKills(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	const processes, chats, lease = 4, 6, 1500 * time.Millisecond
	duration := 6 * time.Second
	if text := os.Getenv("RYZEREDIS_SHOW"); text != "" {
		var err error
		duration, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	server := redistest.Start(t)
	r := &replicas{t: t, dir: t.TempDir(), slots: make([]*exec.Cmd, processes), addrs: make([]string, processes)}
	r.config = replicaConfig{Redis: server.Addr, Log: filepath.Join(r.dir, "log"), Lease: lease}
	write, err := openLog(r.config.Log)
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, cmd := range r.slots {
			_ = cmd.Process.Kill()
		}
		r.all.Wait()
	})
	for slot := range processes {
		r.start(slot)
	}

	ctx, cancel := context.WithTimeout(t.Context(), duration)
	defer cancel()
	var mu sync.Mutex
	again := make(map[[2]int]bool) // events that were delivered more than once
	sent := make([]int, chats)
	var service, deliveries sync.WaitGroup
	events := ryzetest.NewEvents("a")
	for chat := range chats {
		service.Go(func() {
			backlog := make(chan struct{}, 12)
			for n := 1; ctx.Err() == nil; n++ {
				backlog <- struct{}{}
				mu.Lock()
				body := events.Message(ryzetest.Incoming{
					From: fmt.Sprintf("55119876%05d", chat), ID: fmt.Sprintf("3EB0%04d%06d", chat, n), Text: fmt.Sprint(chat, " ", n),
				})
				sent[chat] = n
				mu.Unlock()
				outcome := r.deliver(body)
				deliveries.Go(func() {
					for !<-outcome { // the service repeats what was not handled
						mu.Lock()
						again[[2]int{chat, n}] = true
						mu.Unlock()
						time.Sleep(50 * time.Millisecond)
						outcome = r.deliver(body)
					}
					<-backlog
				})
			}
		})
	}
	kills, pauses := 0, 0
	for ctx.Err() == nil {
		time.Sleep(rand.N(lease / 2))
		slot := r.busy(readChatNotes(t, r.config.Log))
		if slot < 0 {
			continue
		}
		pid := r.slots[slot].Process.Pid
		if rand.N(3) > 0 {
			write(chatNote{What: "kill", PID: pid})
			_ = r.slots[slot].Process.Kill()
			write(chatNote{What: "kill", PID: pid}) // it may have begun an event in between
			kills++
			time.Sleep(rand.N(lease))
			r.start(slot)
			continue
		}
		write(chatNote{What: "pause", PID: pid})
		_ = r.slots[slot].Process.Signal(syscall.SIGSTOP)
		write(chatNote{What: "pause", PID: pid}) // as above
		pauses++
		time.Sleep(lease + rand.N(lease))
		_ = r.slots[slot].Process.Signal(syscall.SIGCONT)
	}
	service.Wait()
	deliveries.Wait()
	notes := readChatNotes(t, r.config.Log)
	interrupted := judgeChats(t, notes, again, sent)
	total := 0
	for _, n := range sent {
		total += n
	}
	t.Logf("%d kills and %d pauses of holders; %d events, %d handlers were interrupted, %d events were delivered again",
		kills, pauses, total, interrupted, len(again))
	assert.NotZero(t, interrupted)
}

func readChatNotes(t *testing.T, name string) (all []chatNote) {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var n chatNote
		if json.Unmarshal(lines.Bytes(), &n) == nil {
			all = append(all, n)
		}
	}
	return all
}

// busy returns a replica that is in the middle of a handler, -1 for none.
func (r *replicas) busy(notes []chatNote) int {
	open := make(map[int]int) // handlers by process
	for _, n := range notes {
		switch n.What {
		case "start":
			open[n.PID]++
		case "end", "lost":
			open[n.PID]--
		}
	}
	for _, slot := range rand.Perm(len(r.slots)) {
		if open[r.slots[slot].Process.Pid] > 0 {
			return slot
		}
	}
	return -1
}

// judgeChats holds the log against the rules.
func judgeChats(t *testing.T, notes []chatNote, again map[[2]int]bool, sent []int) (interrupted int) {
	t.Helper()
	stopped := make(map[int]int)      // where in the log a process was killed or paused last
	inside := make(map[int]chatNote)  // by chat: the handler at work
	began := make(map[int]int)        // by chat: where in the log
	order := make([][]int, len(sent)) // by chat: what was begun for the first time
	placed := make(map[[2]int]int)    // where in the log an event got its place
	done := make(map[[2]int]int)
	for at, n := range notes {
		switch n.What {
		case "kill", "pause":
			stopped[n.PID] = at
		case "place":
			placed[[2]int{n.Chat, n.N}] = at
		case "start":
			if at, ok := placed[[2]int{n.Chat, n.N}]; ok && stopped[n.PID] > at {
				again[[2]int{n.Chat, n.N}] = true // its place was lost while its process was paused
			}
			if before, busy := inside[n.Chat]; busy {
				interrupted++
				if stopped[before.PID] <= began[n.Chat] {
					t.Errorf("chat %d: event %d was begun by process %d while process %d was at event %d", n.Chat, n.N, n.PID, before.PID, before.N)
				}
			}
			inside[n.Chat], began[n.Chat] = n, at
			if !slices.Contains(order[n.Chat], n.N) {
				order[n.Chat] = append(order[n.Chat], n.N)
			}
		case "end":
			done[[2]int{n.Chat, n.N}]++
			if now := inside[n.Chat]; now.PID != n.PID || now.N != n.N {
				t.Errorf("chat %d: process %d ended event %d with success, although process %d had begun event %d", n.Chat, n.PID, n.N, now.PID, now.N)
				continue
			}
			delete(inside, n.Chat)
		case "lost":
			if now := inside[n.Chat]; now.PID == n.PID && now.N == n.N {
				delete(inside, n.Chat)
			}
		}
	}
	for chat, numbers := range order {
		last := 0
		for _, n := range numbers {
			if again[[2]int{chat, n}] {
				continue // it comes when it comes
			}
			if n < last {
				t.Errorf("chat %d: event %d was handled after event %d", chat, n, last)
			}
			last = n
		}
		for n := 1; n <= sent[chat]; n++ {
			if times := done[[2]int{chat, n}]; times == 0 || times > 1 && !again[[2]int{chat, n}] {
				t.Errorf("chat %d: event %d was handled %d times", chat, n, times)
			}
		}
	}
	return interrupted
}
