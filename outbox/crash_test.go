package outbox

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/internal/postgrestest"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// The test binary starts itself as the process that is killed.
func TestMain(m *testing.M) {
	if store := os.Getenv("OUTBOX_TEST_WORKER"); store != "" {
		workUntilKilled(store)
	}
	flag.Parse()
	// Processes die in tests, and the machine does not, so nothing has to reach a disk.
	// Benchmarks and shows have what it costs.
	const memory = "/dev/shm"
	if dir, err := os.Stat(memory); err == nil && dir.IsDir() && os.Getenv("OUTBOX_MESSAGES") == "" && flag.Lookup("test.bench").Value.String() == "" {
		_ = os.Setenv("TMPDIR", memory)
	}
	os.Exit(m.Run())
}

func short(c *config) error {
	c.hold = time.Second
	c.timing = timing{
		text: 3 * time.Second, other: 3 * time.Second, looks: 3 * time.Second,
		orphan: 4 * time.Second, sweep: time.Second, poll: 30 * time.Millisecond, reach: 10 * time.Second,
	}
	return nil
}

func openStore(store string, open Open, opts ...Option) (*Outbox, error) {
	if filepath.IsAbs(store) {
		return OpenSQLite(store, open, opts...)
	}
	pool, err := pgxpool.New(context.Background(), store+"&pool_max_conns=24")
	if err != nil {
		return nil, err
	}
	return OnPostgres(pool, open, opts...)
}

func workUntilKilled(store string) {
	client, err := ryze.New(
		ryze.WithBaseURL(os.Getenv("OUTBOX_TEST_URL")), ryze.WithInsecureHTTP(), ryze.WithRetry(ryze.RetryPolicy{MaxAttempts: 1}))
	if err == nil {
		var o *Outbox
		open := func(context.Context, string) (*ryze.InstanceClient, error) {
			return client.Instance("shop", os.Getenv("OUTBOX_TEST_TOKEN")), nil
		}
		opts := []Option{short}
		if !filepath.IsAbs(store) { // so that there is time for crashes, however many processes send
			opts = append(opts, WithPacing("shop", Pacing{PerMinute: 1500}))
		}
		if os.Getenv("OUTBOX_TEST_RESEND") != "" {
			opts = append(opts, WithResendWhenNotFound())
		}
		if o, err = openStore(store, open, opts...); err == nil {
			fmt.Println("ready")
			if os.Getenv("OUTBOX_TEST_ECHOES") != "" {
				go listen(o)
			}
			err = o.Run(context.Background())
		}
	}
	fmt.Fprintln(os.Stderr, "worker:", err)
	os.Exit(1)
}

// listen gives the outbox the events of its instance, as an application does.
func listen(o *Outbox) {
	for ctx := context.Background(); ; time.Sleep(100 * time.Millisecond) {
		client, _ := o.open(ctx, "shop")
		stream, err := client.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
		if err != nil {
			continue
		}
		_ = stream.Handle(ctx, o.Observe)
		_ = stream.Close()
	}
}

// likeNoOther is a text that cannot be taken for another of the show.
func likeNoOther(i int) ryze.Text {
	sum := sha256.Sum256([]byte(strconv.Itoa(i)))
	return ryze.Text(base32.StdEncoding.EncodeToString(sum[:15]))
}

// crew is the processes that send.
type crew struct {
	t     testing.TB
	store string
	s     *service
	mu    sync.Mutex
	all   []*exec.Cmd
	env   []string
}

func (c *crew) hire(i int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	cmd := exec.Command(os.Args[0], "-test.run=^$") //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), "OUTBOX_TEST_WORKER="+c.store, "OUTBOX_TEST_URL="+c.s.URL, "OUTBOX_TEST_TOKEN="+c.s.phone.Token())
	cmd.Env = append(cmd.Env, c.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // however the test ends
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.all[i] = cmd
	_, _ = bufio.NewReader(out).ReadString('\n') // it has the store
	return nil
}

func (c *crew) kill(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all[i] != nil {
		_ = c.all[i].Process.Kill()
		_ = c.all[i].Wait()
		c.all[i] = nil
	}
}

// Faults of every kind. Some take effect although the client sees a failure.
var faults = []ryzetest.Fault{
	{Drop: ryzetest.DropBeforeRead},
	{Drop: ryzetest.DropAfterRead},
	{Drop: ryzetest.DropAfterProcess},
	{Drop: ryzetest.HalfReply},
	{Drop: ryzetest.NeverAnswer},
	{Drop: ryzetest.NeverAnswer, AfterProcess: true},
	{Delay: 300 * time.Millisecond},
	{Delay: 5 * time.Second},
	{Status: http.StatusInternalServerError},
	{Status: http.StatusServiceUnavailable, Message: "instance not connected"},
	{Status: http.StatusServiceUnavailable, Gateway: true},
	{Status: http.StatusGatewayTimeout, Gateway: true, AfterProcess: true},
	rateLimited(),
}

// rateLimited is over within a second.
func rateLimited() ryzetest.Fault {
	f := ryzetest.RateLimited()
	f.Header = http.Header{"X-Ratelimit-Reset": {"1"}}
	return f
}

// shown is how many messages the shows send, and for how long processes are killed.
func shown(t testing.TB) (messages int) {
	n, err := strconv.Atoi(os.Getenv("OUTBOX_MESSAGES"))
	if err != nil {
		return 300
	}
	require.Positive(t, n)
	return n
}

func TestNothingIsSentTwiceOrLostThroughCrashes(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		crash(t, filepath.Join(t.TempDir(), "outbox.db"), 1, nil)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		crash(t, postgrestest.Start(t).URL, 4, nil)
	})
	t.Run("PostgreSQL restarted", func(t *testing.T) {
		t.Parallel()
		p := postgrestest.Start(t)
		crash(t, p.URL, 4, func() { p.Restart(t) })
	})
}

// crash adds messages, lets processes send them and kills one about every second,
// until all have been tried. Then it lets them end what there is.
func crash(t *testing.T, store string, processes int, restart func()) {
	n := shown(t)
	s := simulated(t)
	random := rand.New(rand.NewPCG(uint64(n), uint64(processes))) // the same each time
	for range n {
		f := ryzetest.Fault{Delay: time.Duration(random.IntN(60)) * time.Millisecond}
		if random.IntN(10) == 0 {
			f = faults[random.IntN(len(faults))]
		}
		s.Fault("messages.text", f)
	}
	o, err := openStore(store, s.open, short)
	require.NoError(t, err)
	for i := range n {
		m := Message{
			Key: fmt.Sprint("order-", i), Instance: "shop", To: ryze.JID(fmt.Sprintf("5511987%06d", i%(n/4))),
			Content: likeNoOther(i), Priority: ryze.Priority(100 * (i%3 - 1)),
		}
		_, err := o.Add(t.Context(), m)
		require.NoError(t, err)
	}
	reopen := func() *Outbox {
		if filepath.IsAbs(store) {
			o, err := openStore(store, s.open, short)
			require.NoError(t, err)
			return o
		}
		return o
	}
	if filepath.IsAbs(store) {
		require.NoError(t, o.Close())
	}
	crew := &crew{t: t, store: store, s: s, all: make([]*exec.Cmd, processes)}
	if n > 1000 || restart != nil { // the others look for what they do not know
		crew.env = append(crew.env, "OUTBOX_TEST_ECHOES=yes")
	}
	defer func() {
		for i := range processes {
			crew.kill(i)
		}
	}()
	for i := range processes {
		require.NoError(t, crew.hire(i))
	}
	began, kills, restarts := time.Now(), 0, 0
	chaos := max(9*time.Second, time.Duration(n)*15*time.Millisecond)
	for kills < 3 || time.Since(began) < chaos && len(s.phone.Sent()) < n*95/100 {
		time.Sleep(800*time.Millisecond + time.Duration(random.IntN(400))*time.Millisecond) // real processes, real time
		i := random.IntN(processes)
		crew.kill(i)
		kills++
		if restart != nil && kills%4 == 2 {
			restart()
			restarts++
		}
		require.NoError(t, crew.hire(i))
	}
	// A message may be on its way for a minute, so some are still looked for. The long
	// show waits until everything is settled.
	patience, look := 100*time.Second, 2*time.Second
	if n > 1000 {
		patience, look = 12*time.Minute, 4*time.Minute
	}
	deadline := time.Now().Add(patience)
	var stats Stats
	before, quiet := 0, time.Now()
	for ; ; time.Sleep(time.Second) {
		if filepath.IsAbs(store) {
			// Nobody else can read the file, so it is left alone until nothing more is sent.
			if sent := len(s.phone.Sent()); time.Since(quiet) < max(6*time.Second, look/20) && time.Now().Before(deadline) {
				if sent != before {
					before, quiet = sent, time.Now()
				}
				continue
			}
			time.Sleep(min(look, max(time.Until(deadline), 0)))
			crew.kill(0)
			o = reopen()
		}
		stats, err = o.Stats(t.Context())
		require.NoError(t, err)
		unsettled := 0
		for _, err := range o.Entries(t.Context(), Filter{Unsettled: true}) {
			require.NoError(t, err)
			unsettled++
		}
		if stats[Queued]+stats[Sending] == 0 && (n <= 1000 || unsettled == 0) || time.Now().After(deadline) {
			assert.True(t, n <= 1000 || unsettled == 0, "%d are not settled", unsettled)
			break
		}
		if filepath.IsAbs(store) {
			require.NoError(t, o.Close())
			require.NoError(t, crew.hire(0))
			time.Sleep(8 * time.Second)
		}
	}
	arrived := map[string]bool{}
	for _, m := range s.phone.Sent() {
		arrived[m.Text] = true
	}
	t.Logf("%d messages, %d kills, %d restarts of the server, %s: %v; sent according to the simulator: %d, twice: %d",
		n, kills, restarts, time.Since(began).Round(time.Second), stats, len(arrived), len(s.phone.Sent())-len(arrived))
	require.GreaterOrEqual(t, kills, 3, "what was there to survive?")
	require.Equal(t, restart != nil, restarts > 0)
	// A crash leaves all that was under way to be looked for, for longer than this takes.
	assert.GreaterOrEqual(t, stats[Sent], n/4, "an outbox that knows of nothing would pass the rest")

	count := map[string]int{}
	for _, m := range s.phone.Sent() {
		count[m.Text]++
	}
	for content, times := range count {
		assert.Equal(t, 1, times, content)
	}
	total, reasons := 0, map[string]int{}
	for e, err := range o.Entries(t.Context(), Filter{}) {
		require.NoError(t, err)
		total++
		switch text := string(e.Content.(ryze.Text)); e.State {
		case Sent:
			assert.Equal(t, 1, count[text], text)
			assert.NotEmpty(t, e.MessageID)
		case Unknown:
			assert.NotEmpty(t, e.Reason)
			reasons[e.Reason+map[bool]string{true: " (it was sent)"}[count[text] > 0]]++
		default:
			t.Errorf("%s is %s: %s, next at %s, job %d", text, e.State, e.Reason, e.NextAt, e.jobID)
		}
	}
	for reason, n := range reasons {
		t.Logf("%d unknown: %s", n, reason)
	}
	assert.Equal(t, n, total)
	assert.Equal(t, n, stats[Sent]+stats[Unknown], fmt.Sprint(maps.Clone(stats)))
	if filepath.IsAbs(store) {
		require.NoError(t, o.Close())
	}
}
