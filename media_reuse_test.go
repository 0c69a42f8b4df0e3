package ryze_test

import (
	"bytes"
	"sync"
	"testing"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// One picture goes to many people, one after the other and at the same time.
func TestMediaInMemoryCanBeSentOften(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		content := append(bytes.Clone(PNGHead), bytes.Repeat([]byte{1, 2, 3, 4}, large)...)
		photo := Media{Source: MediaBytes("a.png", content)}
		send := func() {
			_, err := inst.Messages.Send(t.Context(), "5511987654321", photo)
			assert.NoError(t, err)
		}
		send()
		var group sync.WaitGroup
		for range 8 {
			group.Go(send)
		}
		group.Wait()

		seeker := Media{Source: MediaReader("a.png", bytes.NewReader(content))}
		for range 2 {
			_, err := inst.Messages.Send(t.Context(), "5511987654321", seeker)
			require.NoError(t, err)
		}
		stored := sim.Instance("a").Sent()
		require.Len(t, stored, 11)
		for _, m := range stored {
			assert.True(t, bytes.Equal(content, m.Media.Bytes))
		}
	})
}
