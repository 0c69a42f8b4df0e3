package outbox

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
)

// closedNow are hours that begin in two hours.
func closedNow() Pacing {
	now := time.Now().UTC()
	from := now.Add(2*time.Hour).Truncate(time.Minute).Sub(now.Truncate(24*time.Hour)) % (24 * time.Hour)
	return Pacing{From: from, Until: (from + time.Hour) % (24 * time.Hour)}
}

func TestUrgentOvertakesOnlyWhatThePaceHolds(t *testing.T) {
	t.Parallel()
	overtakes(t, func(open Open, opts ...Option) *Outbox { return sqliteOutbox(t, open, opts...) })
}

func overtakesOnPostgres(t *testing.T, pool *pgxpool.Pool) {
	overtakes(t, func(open Open, opts ...Option) *Outbox {
		o, err := OnPostgres(pool, open, opts...)
		require.NoError(t, err)
		return o
	})
}

func overtakes(t *testing.T, opened func(Open, ...Option) *Outbox) {
	s := simulated(t)
	const slow, free = "slow", "free"
	o := opened(s.open, short, WithPacing("shop", closedNow()), WithPacing(slow, Pacing{PerMinute: 0.1}))
	add := func(key, instance string, to ryze.JID, p ryze.Priority) {
		t.Helper()
		_, err := o.Add(t.Context(), Message{Key: key, Instance: instance, To: to, Content: ryze.Text(key), Priority: p})
		require.NoError(t, err)
	}
	const ana, bruno = "5511987654321", "5511987654322"
	add("promotion", "shop", ana, ryze.PriorityNormal)
	add("promotion 2", "shop", ana, ryze.PriorityLow)
	add("code", "shop", ana, ryze.PriorityHigh)
	add("code 2", "shop", ana, ryze.PriorityNormal+1)
	add("slow first", slow, bruno, ryze.PriorityNormal) // takes the turn
	run(t, o)
	assert.Equal(t, Sent, wait(t, o, "slow first").State)
	add("slow promotion", slow, ana, ryze.PriorityNormal)
	add("slow code", slow, ana, ryze.PriorityHigh)
	add("free first", free, ana, ryze.PriorityLow) // nothing holds it, so it goes first
	add("free code", free, ana, ryze.PriorityHigh)
	sent := map[string]int{}
	for _, key := range []string{"code", "code 2", "slow code", "free code"} {
		assert.Equal(t, Sent, wait(t, o, key).State, key)
	}
	for i, m := range s.phone.Sent() {
		sent[m.Text] = i + 1
	}
	assert.Len(t, sent, 6)
	assert.Less(t, sent["code"], sent["code 2"])
	assert.Less(t, sent["free first"], sent["free code"])

	reasons := map[string]string{}
	for e, err := range o.Entries(t.Context(), Filter{States: []State{Queued}}) {
		require.NoError(t, err)
		reasons[e.Key] = e.Reason
		one, err := o.Get(t.Context(), e.Key)
		require.NoError(t, err)
		assert.Equal(t, e.Reason, one.Reason)
		if e.Key == "promotion" {
			assert.InDelta(t, 2*time.Hour, time.Until(e.NextAt), float64(2*time.Minute))
		}
	}
	assert.Equal(t, map[string]string{
		"promotion":      "waits for the hours of the pacing",
		"promotion 2":    `waits for the message "promotion" to the same recipient`,
		"slow promotion": "waits for the pace of the instance",
	}, reasons)
}

// recording is a limiter that knows the priority of each send.
type recording struct {
	unmetered
	asked chan ryze.Priority
}

func (r recording) Acquire(ctx context.Context, req ryze.LimiterRequest) (ryze.Ticket, error) {
	r.asked <- req.Priority
	return r.unmetered.Acquire(ctx, req)
}

// Or a reserve for the urgent would hold what an urgent message waits for.
func TestQuotaIsAskedForWithThePriorityOfWhoWaitsBehind(t *testing.T) {
	t.Parallel()
	s := simulated(t)
	r := recording{asked: make(chan ryze.Priority, 10)}
	client, err := ryze.New(ryze.WithBaseURL(s.URL), ryze.WithHTTPClient(s.HTTPClient()), ryze.WithInsecureHTTP(), ryze.WithLimiter(r))
	require.NoError(t, err)
	o := sqliteOutbox(t, func(context.Context, string) (*ryze.InstanceClient, error) {
		return client.Instance("shop", s.phone.Token()), nil
	}, short)
	for i, p := range []ryze.Priority{ryze.PriorityLow, ryze.PriorityHigh, ryze.PriorityNormal} {
		m := hello(fmt.Sprint(i))
		m.Priority = p
		_, err := o.Add(t.Context(), m)
		require.NoError(t, err)
	}
	run(t, o)
	wait(t, o, "2")
	for i, want := range []ryze.Priority{ryze.PriorityHigh, ryze.PriorityHigh, ryze.PriorityNormal} {
		assert.Equal(t, want, <-r.asked, i)
	}
}

// Only one of them has been tried.
func TestEveryMessageOfAnInstanceThatCannotSendSaysWhy(t *testing.T) {
	t.Parallel()
	o := sqliteOutbox(t, nobody, short)
	for i := range 20 {
		m := hello(fmt.Sprint(i))
		m.To = ryze.JID(fmt.Sprintf("5511987%06d", i))
		_, err := o.Add(t.Context(), m)
		require.NoError(t, err)
	}
	run(t, o)
	require.Eventually(t, func() bool {
		with := 0
		for e, err := range o.Entries(t.Context(), Filter{}) {
			require.NoError(t, err)
			require.Equal(t, Queued, e.State)
			if e.Reason != "" {
				assert.Contains(t, e.Reason, "nobody")
				with++
			}
		}
		return with == 20
	}, 10*time.Second, 10*time.Millisecond)
}

// Such as one that is restarted.
func TestWaitGoesOnWhileTheDatabaseDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := simulated(t)
	o := sqliteOutbox(t, s.open, short)
	_, err := o.Add(t.Context(), hello("k"))
	require.NoError(t, err)
	exec := func(query string) {
		t.Helper()
		_, err := o.DB().ExecContext(t.Context(), query)
		require.NoError(t, err)
	}
	exec(`ALTER TABLE ryze_outbox RENAME TO away`)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = o.Wait(ctx, "k")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "no such table")
	ended := make(chan error, 1)
	go func() { _, err := o.Wait(t.Context(), "k"); ended <- err }()
	exec(`ALTER TABLE away RENAME TO ryze_outbox`)
	run(t, o)
	require.NoError(t, <-ended)

	_, err = o.Wait(t.Context(), "never added")
	require.ErrorIs(t, err, ErrNotFound)
	other, err := OpenSQLite(emptyFile(t), nobody)
	require.NoError(t, err)
	_, err = other.Add(t.Context(), hello("k"))
	require.NoError(t, err)
	require.NoError(t, other.Close())
	_, err = other.Wait(t.Context(), "k")
	require.Error(t, err, "nobody will open it again")
}
