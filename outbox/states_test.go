package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
)

func TestEachRowOfTheTable(t *testing.T) {
	t.Parallel()
	now := time.Now()
	const patience = 3 * time.Minute
	lost := &ryze.OutcomeError{Err: ryze.ErrNetwork}
	doubt := &ryze.OutcomeError{Err: errors.New("several could be it")}
	refused := &ryze.ValidationError{Field: "to", Reason: "is wrong"}
	message := &ryze.SentMessage{ID: "3EB0"}
	at := func(ago time.Duration) *Entry { return &Entry{SentAt: now.Add(-ago)} }
	expired := func(e *Entry) *Entry { e.ExpiresAt = now.Add(-time.Second); return e }

	for name, row := range map[string]struct {
		resend  bool
		look    bool
		steady  time.Duration // since the last jump of the clock
		e       *Entry
		message *ryze.SentMessage
		err     error
		want    State
		again   bool // something will be done by itself
		hold    bool
	}{
		"accepted":                          {e: at(0), message: message, want: Sent},
		"refused for good":                  {e: at(0), err: refused, want: Failed},
		"rate limited":                      {e: at(0), err: &ryze.RateLimitError{RetryAt: now.Add(time.Minute)}, want: Queued, again: true},
		"throttled":                         {e: at(0), err: ryze.ErrThrottled, want: Queued, again: true, hold: true},
		"disconnected":                      {e: at(0), err: ryze.ErrNotConnected, want: Queued, again: true, hold: true},
		"banned":                            {e: at(0), err: ryze.ErrBanned, want: Queued, again: true, hold: true},
		"no client":                         {e: at(0), err: errors.Join(ryze.ErrNotSent, ErrNoInstance), want: Queued, again: true, hold: true},
		"not accepted, and late":            {e: expired(at(0)), err: ryze.ErrThrottled, want: Expired},
		"lost":                              {e: at(0), err: lost, want: Unknown, again: true},
		"lost, and late":                    {e: expired(at(0)), err: lost, want: Unknown, again: true},
		"an error of nobody":                {e: at(0), err: errors.New("what"), want: Unknown, again: true},
		"found":                             {look: true, e: at(time.Minute), message: message, want: Sent},
		"not there yet":                     {look: true, resend: true, e: at(time.Minute), err: ryze.ErrNotSent, want: Unknown, again: true},
		"not there":                         {look: true, e: at(patience), err: ryze.ErrNotSent, want: Unknown},
		"not there, to be sent again":       {look: true, resend: true, e: at(patience), err: ryze.ErrNotSent, want: Queued, again: true},
		"not there, and late":               {look: true, resend: true, e: expired(at(patience)), err: ryze.ErrNotSent, want: Expired},
		"the clock has jumped just now":     {look: true, resend: true, e: at(time.Hour), steady: time.Minute, err: ryze.ErrNotSent, want: Unknown, again: true},
		"in doubt":                          {look: true, resend: true, e: at(patience), err: doubt, want: Unknown},
		"nobody can look":                   {look: true, resend: true, e: at(patience), err: ryze.ErrNotConnected, want: Unknown, again: true},
		"nobody is there to look":           {look: true, resend: true, e: at(patience), err: errors.Join(ryze.ErrNotSent, ErrNoInstance), want: Unknown, again: true},
		"a look has no reply":               {look: true, resend: true, e: at(patience), err: &ryze.OutcomeError{Err: ryze.ErrServer}, want: Unknown, again: true},
		"a look takes too long":             {look: true, e: at(patience), err: &ryze.OutcomeError{Err: context.DeadlineExceeded}, want: Unknown, again: true},
		"a look had no reply for two days":  {look: true, resend: true, e: at(48 * time.Hour), steady: 48 * time.Hour, err: ryze.ErrServer, want: Unknown},
		"the clock was set back a little":   {look: true, resend: true, e: at(-time.Minute), err: ryze.ErrNotSent, want: Unknown, again: true},
		"the clock was set back by an hour": {look: true, resend: true, e: at(-time.Hour), err: ryze.ErrNotSent, want: Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy{patience: patience, resend: row.resend, hold: time.Second}
			s := p.afterSend(row.e, row.message, row.err, now)
			if row.look {
				s = p.afterLook(row.e, row.message, row.err, now, cmp.Or(row.steady, time.Hour))
			}
			assert.Equal(t, row.want, s.to)
			assert.Equal(t, row.again, !s.next.IsZero())
			assert.Equal(t, row.hold, s.hold > 0)
			assert.False(t, s.to == Unknown && s.reason == "", "somebody has to know why")
		})
	}
	p := policy{patience: patience, resend: true}
	crashed := p.afterCrash(now)
	assert.Equal(t, Unknown, crashed.to)
	assert.Equal(t, now, crashed.next)
}

// Thousands of messages that wait do not ask for their turn all the time.
func TestWhoIsFurtherBackWaitsLonger(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]time.Duration{"paced": 0, "held": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			o := sqliteOutbox(t, nobody, WithPacing("shop", Pacing{PerMinute: 60}))
			var entries []*Entry
			for i := range 50 {
				m := hello(fmt.Sprint(i))
				m.To = ryze.JID(fmt.Sprintf("5511987%06d", i))
				e, err := o.Add(t.Context(), m)
				require.NoError(t, err)
				entries = append(entries, e)
			}
			urgent := hello("before the others")
			urgent.Priority, urgent.To = ryze.PriorityNormal+1, "5521998765432"
			now := time.Now().Add(time.Second)
			if hold > 0 {
				_, err := o.store.exec(t.Context(), sqlHold, "shop", millis(now.Add(hold)), "gone")
				require.NoError(t, err)
			} else {
				wait, err := o.pace(t.Context(), entries[0], now)
				require.NoError(t, err)
				require.Zero(t, wait)
			}
			first, err := o.pace(t.Context(), entries[0], now)
			require.NoError(t, err)
			assert.LessOrEqual(t, first, hold+2*time.Second)
			last, err := o.pace(t.Context(), entries[49], now)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, last, hold+49*25*time.Millisecond)
			e, err := o.Add(t.Context(), urgent)
			require.NoError(t, err)
			wait, err := o.pace(t.Context(), e, now)
			require.NoError(t, err)
			assert.LessOrEqual(t, wait, hold+2*time.Second, "it does not wait for the others")
		})
	}
}

func TestHoursOfTheDay(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	office := Pacing{From: 8 * time.Hour, Until: 20 * time.Hour}
	night := Pacing{From: 22 * time.Hour, Until: 6 * time.Hour}
	for _, row := range []struct {
		p    Pacing
		now  time.Duration
		want time.Duration
	}{
		{office, 7 * time.Hour, time.Hour},
		{office, 8 * time.Hour, 0},
		{office, 20*time.Hour - 1, 0},
		{office, 20 * time.Hour, 12 * time.Hour},
		{night, 23 * time.Hour, 0},
		{night, 5 * time.Hour, 0},
		{night, 6 * time.Hour, 16 * time.Hour},
		{Pacing{}, 3 * time.Hour, 0},
	} {
		assert.Equal(t, row.want, row.p.opens(day.Add(row.now)), row)
	}
}

// Whatever the hours and the days on which clocks are changed, it sends when a clock on
// the wall shows one of the hours, and waits until then and not longer.
func TestHoursHoldWhenClocksAreChanged(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		location string
		changed  time.Time
	}{
		{"America/Santiago", time.Date(2026, 9, 6, 4, 0, 0, 0, time.UTC)}, // there is no midnight
		{"America/Santiago", time.Date(2026, 4, 5, 3, 0, 0, 0, time.UTC)},
		{"America/New_York", time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC)},
		{"America/New_York", time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)},
		{"Europe/Berlin", time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)},
		{"Europe/Berlin", time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)},
		{"Australia/Lord_Howe", time.Date(2026, 10, 3, 15, 30, 0, 0, time.UTC)}, // by half an hour
	} {
		location, err := time.LoadLocation(row.location)
		require.NoError(t, err)
		for from := time.Duration(0); from <= 24*time.Hour; from += 30 * time.Minute {
			for _, long := range []time.Duration{2 * time.Hour, 6 * time.Hour, 23 * time.Hour} {
				p := Pacing{From: from, Until: (from + long) % (24 * time.Hour), Location: location}
				for now := row.changed.Add(-48 * time.Hour); now.Before(row.changed.Add(48 * time.Hour)); now = now.Add(15 * time.Minute) {
					clock := now.In(location)
					since := (time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute - from + 48*time.Hour) % (24 * time.Hour)
					wait := p.opens(now)
					if since < long {
						require.Zero(t, wait, "%v at %s", p, clock)
						continue
					}
					require.Positive(t, wait, "%v at %s", p, clock)
					require.LessOrEqual(t, wait, 25*time.Hour-long, "%v at %s", p, clock)
				}
			}
		}
	}
}

func TestHoursThatNeverBeginAreRefused(t *testing.T) {
	t.Parallel()
	_, err := configured([]Option{WithPacing("shop", Pacing{From: 24 * time.Hour})}) // it ends as the day begins
	var bad *ryze.ValidationError
	require.ErrorAs(t, err, &bad)
	_, err = configured([]Option{WithPacing("shop", Pacing{Until: 24 * time.Hour})})
	require.NoError(t, err)
}
