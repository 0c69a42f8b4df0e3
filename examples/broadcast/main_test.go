package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/outbox"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// TestMain keeps the files of tests in memory: nothing has to outlive the machine.
func TestMain(m *testing.M) {
	const memory = "/dev/shm"
	if dir, err := os.Stat(memory); err == nil && dir.IsDir() {
		_ = os.Setenv("TMPDIR", memory)
	}
	os.Exit(m.Run())
}

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
	service := simulated(t)
	var out, screen strings.Builder
	require.NoError(t, rehearse(t.Context(), service, filepath.Join(t.TempDir(), "broadcast.db"), &out, &screen))
	for _, line := range []string{
		"Interrupted. Run it again to go on.",
		"249 sent, 1 failed, 0 unknown, 0 left.",
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
}

// Whatever fails and whenever it is interrupted, nobody gets it twice.
func TestBroadcastNeverSendsTwice(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			service := simulated(t)
			random := rand.New(rand.NewPCG(seed, 1))
			job := job{name: "greeting", text: "Hello", file: filepath.Join(t.TempDir(), "broadcast.db"), recipients: numbered(40)}
			for range 60 {
				service.Simulator.Fault("messages.text", faults[random.IntN(len(faults))])
			}
			for n := 0; n < 6 || n < 40 && len(got(service)) < len(job.recipients)/4; n++ { // a machine may be slow
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(200+random.IntN(1500))*time.Millisecond)
				job.again = random.IntN(2) == 0
				require.NoError(t, run(ctx, service.Instance, job, io.Discard, io.Discard))
				cancel()
			}
			count := got(service)
			assert.GreaterOrEqual(t, len(count), len(job.recipients)/4)
			for chat, n := range count {
				assert.Equal(t, 1, n, chat)
			}
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
}

func TestNameBelongsToOneTextAndFileToOneRun(t *testing.T) {
	service := simulated(t)
	job := job{name: "greeting", text: "Hello", file: filepath.Join(t.TempDir(), "broadcast.db"), recipients: numbered(3)}
	for range 2 { // the second run has nothing to do
		require.NoError(t, run(t.Context(), service.Instance, job, io.Discard, io.Discard))
	}
	assert.Len(t, service.Phone.Sent(), 3)
	job.text = "Good bye"
	require.ErrorIs(t, run(t.Context(), service.Instance, job, io.Discard, io.Discard), outbox.ErrKeyReused)
	job.name = "farewell"
	require.NoError(t, run(t.Context(), service.Instance, job, io.Discard, io.Discard))
	assert.Len(t, service.Phone.Sent(), 6)

	other, err := outbox.OpenSQLite(job.file, func(context.Context, string) (*ryze.InstanceClient, error) { return service.Instance, nil })
	require.NoError(t, err)
	require.ErrorIs(t, run(t.Context(), service.Instance, job, io.Discard, io.Discard), outbox.ErrInUse)
	require.NoError(t, other.Close())
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

// The list of the next run may have the other form of a Brazilian number.
func TestSamePersonInAnotherRunGetsNothingMore(t *testing.T) {
	service := simulated(t)
	job := job{name: "greeting", text: "Hello", file: filepath.Join(t.TempDir(), "broadcast.db")}
	for _, to := range []ryze.JID{"5511987654321", "551187654321", "5511987654321@s.whatsapp.net"} {
		job.recipients = []ryze.JID{to}
		require.NoError(t, run(t.Context(), service.Instance, job, io.Discard, io.Discard))
	}
	assert.Len(t, service.Phone.Sent(), 1)
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

	job := job{name: "opening", text: "We open at nine", file: filepath.Join(dir, "broadcast.db")}
	var out strings.Builder
	for range 2 { // the second run has nothing to do
		require.NoError(t, start(t.Context(), job, []string{list}, &out, io.Discard))
	}
	assert.Equal(t, strings.Repeat("2 sent, 0 failed, 0 unknown, 0 left.\n", 2), out.String())
	assert.Len(t, phone.Sent(), 2)

	job.text = ""
	require.ErrorContains(t, start(t.Context(), job, []string{list}, &out, io.Discard), "-text")
	assert.Empty(t, sim.Violations())
}
