package ryze_test

import (
	"testing"
	"testing/synctest"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/require"
)

// simulated runs a test in virtual time against a simulator in memory, with a
// client that is connected to it. Whatever is left running fails the test.
func simulated(t *testing.T, test func(t *testing.T, sim *ryzetest.Server, client *Client), opts ...ryzetest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := ryzetest.NewServer(append([]ryzetest.Option{ryzetest.InMemory()}, opts...)...)
		defer sim.Close()
		client := newTestClient(t, sim)
		defer func() { require.NoError(t, client.Close()) }()
		test(t, sim, client)
	})
}

func newTestClient(t *testing.T, sim *ryzetest.Server, opts ...Option) *Client {
	t.Helper()
	opts = append([]Option{WithBaseURL(sim.URL), WithHTTPClient(sim.HTTPClient())}, opts...)
	client, err := New(opts...)
	require.NoError(t, err)
	return client
}

// paired returns the handle of a new instance that is connected to WhatsApp.
func paired(t *testing.T, sim *ryzetest.Server, client *Client, name string) *InstanceClient {
	t.Helper()
	instance := sim.AddInstance(name)
	instance.Pair("5511900000001")
	return client.Instance(name, instance.Token())
}

// until waits, in virtual time, until a condition holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Hour); !holds(); time.Sleep(100 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "never: %s", what)
	}
}
