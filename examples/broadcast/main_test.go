package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// simulated belongs into a synctest bubble: in virtual time and in memory, where
// a goroutine left behind fails the test.
func simulated(t *testing.T) *demo.Service {
	t.Helper()
	service, err := demo.Simulate(config(ryzetest.InMemory()))
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.Empty(t, service.Simulator.Violations())
		require.NoError(t, service.Close())
	})
	return service
}

// got counts the messages that each recipient got.
func got(service *demo.Service) map[string]int {
	count := map[string]int{}
	for _, m := range service.Phone.Sent() {
		count[m.Chat]++
	}
	return count
}

func TestBroadcastReachesEverybodyOnceInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := simulated(t)
		journal := filepath.Join(t.TempDir(), "journal.jsonl")
		var out, screen strings.Builder
		require.NoError(t, rehearse(t.Context(), service, journal, &out, &screen))
		for _, line := range []string{
			"Interrupted. Run it again to go on.",
			"Sent after all, by an earlier run: 1.",
			"a look for what may have been sent, 2 in all.",
			"248 sent, 1 failed, 1 not found, 0 unknown, 0 left.",
			"249 sent, 1 failed, 0 not found, 0 unknown, 0 left.",
			"Number 5511987000007 is not on WhatsApp",
		} {
			assert.Contains(t, out.String(), line)
		}
		assert.Contains(t, screen.String(), "Sending")
		assert.NotContains(t, out.String()+screen.String(), service.Phone.Token())

		count := got(service)
		assert.Len(t, count, people-1)
		for chat, n := range count {
			assert.Equal(t, 1, n, chat)
		}
	})
}

// Whatever fails and whenever it is interrupted, nobody gets it twice.
func TestBroadcastNeverSendsTwice(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service := simulated(t)
				random := rand.New(rand.NewPCG(seed, 1))
				job := job{
					text: "Hello", journal: filepath.Join(t.TempDir(), "journal.jsonl"),
					recipients: numbered(40), patience: time.Second,
				}
				for range 60 {
					service.Simulator.Fault("messages.text", faults[random.IntN(len(faults))])
				}
				for range 200 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(3000))*time.Millisecond)
					job.again = random.IntN(2) == 0
					_ = run(ctx, service.Instance, job, io.Discard, io.Discard)
					cancel()
					if len(got(service)) == len(job.recipients) {
						break
					}
				}
				service.Simulator.ClearFaults()
				for range 2 { // finds what is open, and sends it
					time.Sleep(time.Minute)
					job.again = true
					require.NoError(t, run(t.Context(), service.Instance, job, io.Discard, io.Discard))
				}
				count := got(service)
				assert.Len(t, count, len(job.recipients))
				for chat, n := range count {
					assert.Equal(t, 1, n, chat)
				}
			})
		})
	}
}

var faults = []ryzetest.Fault{
	{Delay: 50 * time.Millisecond},
	{Delay: 300 * time.Millisecond},
	{Drop: ryzetest.DropBeforeRead},
	{Drop: ryzetest.DropAfterRead},
	{Drop: ryzetest.DropAfterProcess},
	{Drop: ryzetest.HalfReply},
	{Status: http.StatusInternalServerError},
	{Status: http.StatusGatewayTimeout, Gateway: true, AfterProcess: true},
	ryzetest.RateLimited(),
	ryzetest.Throttled(),
}

// The process died after the service had taken the message and before the
// journal knew, and again while it was writing a line.
func TestBroadcastDoesNotRepeatWhatACrashHasLeftOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := simulated(t)
		job := job{text: "Hello", journal: filepath.Join(t.TempDir(), "journal.jsonl"), recipients: numbered(3), patience: time.Minute}
		crashed, err := openJournal(job.journal, service.Instance.Name(), job.text)
		require.NoError(t, err)
		for _, to := range job.recipients[:2] {
			require.NoError(t, crashed.write(entry{At: time.Now(), To: to, State: sending}))
		}
		_, err = service.Instance.Messages.SendText(t.Context(), job.recipients[0], job.text)
		require.NoError(t, err)
		_, err = crashed.file.WriteString(`{"at":"2000-01-0`)
		require.NoError(t, err)
		require.NoError(t, crashed.close())
		time.Sleep(time.Hour)

		var out strings.Builder
		require.NoError(t, run(t.Context(), service.Instance, job, &out, io.Discard))
		assert.Contains(t, out.String(), "2 sent, 0 failed, 1 not found, 0 unknown, 0 left.")
		assert.Len(t, service.Phone.Sent(), 2)

		job.again = true
		require.NoError(t, run(t.Context(), service.Instance, job, &out, io.Discard))
		assert.Contains(t, out.String(), "3 sent, 0 failed, 0 not found, 0 unknown, 0 left.")
		assert.Len(t, service.Phone.Sent(), 3)
	})
}

func TestBroadcastStopsWhenTheTroubleIsNotTheRecipients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := simulated(t)
		job := job{text: "Hello", journal: filepath.Join(t.TempDir(), "journal.jsonl"), recipients: numbered(50), patience: time.Second}
		service.Phone.Disconnect()
		var out strings.Builder
		require.ErrorIs(t, run(t.Context(), service.Instance, job, &out, io.Discard), ryze.ErrNotConnected)
		assert.Contains(t, out.String(), "0 sent, 0 failed, 0 not found, 0 unknown, 50 left.")
		assert.LessOrEqual(t, service.Simulator.Count("messages.text"), parallel)

		service.Phone.Reconnect()
		service.Simulator.Fault("messages.text", ryzetest.Fault{Times: 50, Status: http.StatusInternalServerError})
		require.ErrorIs(t, run(t.Context(), service.Instance, job, &out, io.Discard), ryze.ErrOutcomeUnknown)
		assert.Less(t, service.Simulator.Count("messages.text"), 3*mostUnknown)
	})
}

func TestJournalBelongsToOneTextAndOneRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	first, err := openJournal(path, "demo", "Hello")
	require.NoError(t, err)
	_, err = openJournal(path, "demo", "Hello")
	require.ErrorContains(t, err, "another run is using it")
	require.NoError(t, first.write(entry{To: "5511987654321", State: sent, ID: "3EB0"}))
	require.NoError(t, first.close())

	for instance, text := range map[string]string{"demo": "Good bye", "other": "Hello"} {
		_, err = openJournal(path, instance, text)
		require.ErrorContains(t, err, "another text or instance")
	}
	again, err := openJournal(path, "demo", "Hello")
	require.NoError(t, err)
	assert.Equal(t, "3EB0", again.state("5511987654321").ID)
	require.NoError(t, again.close())

	b, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(b)) {
		assert.True(t, json.Valid([]byte(line)), line)
		assert.NotContains(t, line, "Hello")
	}
}

func TestListsAreReadOnceForEachPersonAndRefusedWhole(t *testing.T) {
	list, err := readRecipients(strings.NewReader("number,name\n+55 (11) 98765-4321,Ana\n# gone: 1\n551187654321,Ana again\n\n\"5521998765432\",\"Bruno\"\n"))
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, "5511987654321", list[0].Phone())
	assert.Equal(t, "5521998765432", list[1].Phone())

	_, err = readRecipients(strings.NewReader("5511987654321\nAna\n5521998765432\n12\n"))
	require.ErrorIs(t, err, ryze.ErrInvalidArgument)
	assert.ErrorContains(t, err, "line 2")
	assert.ErrorContains(t, err, "line 4")
}

func numbered(n int) (list []ryze.JID) {
	for i := range n {
		list = append(list, ryze.JID(fmt.Sprintf("5511987%06d", i)))
	}
	return list
}

func TestBroadcastReadsItsListAndTalksToTheServiceOfTheEnvironment(t *testing.T) {
	sim := ryzetest.NewServer()
	defer sim.Close()
	phone := sim.AddInstance("shop")
	phone.Pair("5511900000001")
	t.Setenv("RYZE_BASE_URL", sim.URL)
	t.Setenv("RYZE_INSTANCE", "shop")
	t.Setenv("RYZE_INSTANCE_TOKEN", phone.Token())
	dir := t.TempDir()
	list := filepath.Join(dir, "people.csv")
	require.NoError(t, os.WriteFile(list, []byte("number\n5511987654321\n5521998765432\n"), 0o600))

	job := job{text: "We open at nine", journal: filepath.Join(dir, "journal.jsonl")}
	var out strings.Builder
	for range 2 { // the second run has nothing to do
		require.NoError(t, start(t.Context(), job, []string{list}, &out, io.Discard))
	}
	assert.Equal(t, strings.Repeat("2 sent, 0 failed, 0 not found, 0 unknown, 0 left.\n", 2), out.String())
	assert.Len(t, phone.Sent(), 2)

	job.text = ""
	require.ErrorContains(t, start(t.Context(), job, []string{list}, &out, io.Discard), "-text")
	assert.Empty(t, sim.Violations())
}
