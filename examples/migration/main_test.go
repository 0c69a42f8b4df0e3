package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// on plays a day with both programs, in virtual time.
func on(t *testing.T, d day) (was, is result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		was, err = play(t.Context(), d, withBefore, ryzetest.InMemory())
		require.NoError(t, err)
		is, err = play(t.Context(), d, withAfter, ryzetest.InMemory())
		require.NoError(t, err)
	})
	return was, is
}

func the(t *testing.T, name string) day {
	t.Helper()
	for _, d := range days {
		if d.name == name {
			return d
		}
	}
	t.Fatal("no day is called " + name)
	return day{}
}

func TestWhatWasLostOnTheWayBackIsSentTwiceBeforeAndOnceAfter(t *testing.T) {
	slow := func(times int) day {
		return day{"a time-out", func(sim *ryzetest.Server, _ *ryzetest.Instance) {
			sim.Fault("messages.text", ryzetest.Fault{Times: times, Delay: time.Minute})
		}}
	}
	for _, d := range []struct {
		day
		before int
	}{{the(t, "the reply is lost"), 2}, {slow(1), 2}, {slow(3), 3}} {
		was, is := on(t, d.day)
		assert.Equal(t, d.before, was.sent, d.name)
		assert.Equal(t, 1, is.sent, d.name)
		require.NoError(t, is.err, d.name)
	}
}

func TestFieldThatTheServiceDoesNotHaveIsSilentBefore(t *testing.T) {
	was, is := on(t, the(t, "a good day"))
	require.NoError(t, was.err)
	assert.Equal(t, 1, was.sent)
	assert.Zero(t, was.quoted)
	assert.Equal(t, result{sent: 1, quoted: 1}, is)
}

func TestTokenIsInTheErrorBeforeOnly(t *testing.T) {
	was, is := on(t, the(t, "the phone is not connected"))
	assert.True(t, was.leaked)
	require.ErrorIs(t, is.err, ryze.ErrNotConnected)
	assert.False(t, is.leaked)
}

func TestQuotaIsWaitedForAfter(t *testing.T) {
	was, is := on(t, the(t, "the quota is used up"))
	require.Error(t, was.err)
	assert.Zero(t, was.sent)
	assert.Equal(t, result{sent: 1, quoted: 1}, is)
}

func TestSuccessOfAStrangerIsBelievedBefore(t *testing.T) {
	was, is := on(t, the(t, "200, and not of the service"))
	require.NoError(t, was.err)
	assert.Zero(t, was.sent)
	require.ErrorIs(t, is.err, ryze.ErrOutcomeUnknown)
	assert.Zero(t, is.sent)
}

func TestTableIsPrinted(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, days[:2]))
	assert.Contains(t, out.String(), "no error, sent 2×, quoted 0×")
	assert.Equal(t, 3, strings.Count(out.String(), "\n"))
}
