package ryzetest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func instanceOf(t *testing.T, srv *ryzetest.Server, line *ryzetest.Instance, httpClient *http.Client) *ryze.InstanceClient {
	t.Helper()
	client, err := ryze.NewInstanceClient(line.Name(), line.Token(), ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(httpClient))
	require.NoError(t, err)
	return client
}

func TestOneLineIsEnoughForATest(t *testing.T) {
	use := func(t *testing.T) {
		t.Helper()
		srv, line, httpClient := ryzetest.New(t)
		client := instanceOf(t, srv, line, httpClient)
		_, err := client.Messages.SendText(t.Context(), "5511987654321", "Hello")
		require.NoError(t, err)
		require.Len(t, line.Sent(), 1)
		assert.Equal(t, []*ryzetest.Instance{line}, srv.Instances())
	}
	t.Run("with the clock of the machine", use)
	t.Run("in a bubble", func(t *testing.T) { synctest.Test(t, use) })
	t.Run("over HTTP/2", func(t *testing.T) {
		srv, line, httpClient := ryzetest.New(t, ryzetest.WithTLS())
		_, err := instanceOf(t, srv, line, httpClient).Messages.SendText(t.Context(), "5511987654321", "Hello")
		require.NoError(t, err)
		assert.Equal(t, "HTTP/2.0", srv.Requests()[0].Proto)
	})
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	errors  []string
	cleanup []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanup = append(r.cleanup, f) }
func (r *recorder) Errorf(f string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(f, args...))
}

func TestAMistakeOfTheClientFailsItsTest(t *testing.T) {
	r := &recorder{TB: t}
	srv, line, httpClient := ryzetest.New(r)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/api/message/text/"+line.Name(),
		strings.NewReader(`{"number":"5511987654321","message":"Hello","dealy":3}`))
	require.NoError(t, err)
	req.Header.Set("Token", line.Token())
	req.Header.Set("Content-Type", "application/json")
	resp, err := httpClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Empty(t, r.errors)
	for _, f := range r.cleanup {
		f()
	}
	require.Len(t, r.errors, 1)
	assert.Contains(t, r.errors[0], "dealy")
	_, err = httpClient.Get(srv.URL + "/health") //nolint:noctx // it fails
	assert.Error(t, err, "the server is closed")
}

func TestChangesAreToldInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, line, httpClient := ryzetest.New(t)
		client := instanceOf(t, srv, line, httpClient)
		feed := srv.Changes(t.Context())
		sent, err := client.Messages.SendText(t.Context(), "5511987654321", "Hello")
		require.NoError(t, err)
		line.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Hi"})
		require.NoError(t, client.Chats.Pin(t.Context(), "5511987654321"))
		line.Disconnect()
		srv.Advance(time.Hour)

		var told []string
		number := int64(0)
		for change := range feed {
			if number > 0 {
				assert.Equal(t, number+1, change.Number)
			}
			number = change.Number
			if change.Kind == ryzetest.ChangeMessage && change.Message == sent.ID {
				assert.Equal(t, "5511987654321@s.whatsapp.net", change.Chat)
				assert.Equal(t, line.Name(), change.Instance)
			}
			told = append(told, string(change.Kind))
			if change.Kind == ryzetest.ChangeClock {
				break
			}
		}
		assert.Equal(t, []string{"message", "request", "message", "chat", "request", "instance", "clock"}, compact(told))
	})
}

// compact leaves out what is told twice in a row.
func compact(list []string) (short []string) {
	for _, s := range list {
		if len(short) == 0 || short[len(short)-1] != s {
			short = append(short, s)
		}
	}
	return short
}

func TestASlowReaderIsToldThatItMissedChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, _ := ryzetest.New(t)
		feed := srv.Changes(t.Context())
		for range 30000 {
			srv.Advance(0)
		}
		count := 0
		for change := range feed {
			if count++; count == 1 {
				assert.Equal(t, ryzetest.ChangesLost, change.Kind)
			} else {
				assert.Equal(t, ryzetest.ChangeClock, change.Kind)
			}
			if change.Number >= 30000 {
				break
			}
		}
		assert.Greater(t, count, 10000)
		assert.Less(t, count, 20002)
	})
}

func TestAFeedEndsWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := ryzetest.NewServer(ryzetest.InMemory())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for range srv.Changes(t.Context()) {
			}
		}()
		synctest.Wait()
		srv.Close()
		<-ended
	})
}

func TestChatsAreListedWithTheNewestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, line, httpClient := ryzetest.New(t)
		client := instanceOf(t, srv, line, httpClient)
		assert.Empty(t, line.Chats())
		line.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "Hi"})
		time.Sleep(time.Second)
		group := line.AddGroup("Family", "5511987654321")
		_, err := client.Messages.SendText(t.Context(), ryze.JID(group.JID()), "Dinner?")
		require.NoError(t, err)
		require.NoError(t, client.Chats.Pin(t.Context(), "5511912345678"))

		chats := line.Chats()
		require.Len(t, chats, 3)
		assert.Equal(t, group.JID(), chats[0].JID)
		assert.Equal(t, "Family", chats[0].Name)
		assert.Equal(t, line.Sent()[0].ID, chats[0].LastMessage)
		assert.Equal(t, "Ana", chats[1].Name)
		assert.Equal(t, 1, chats[1].Unread)
		assert.True(t, chats[2].Pinned)
		assert.Equal(t, chats[1], line.Chat("5511987654321"))

		require.NoError(t, client.Chats.Delete(t.Context(), ryze.JID(group.JID())))
		assert.Len(t, line.Chats(), 2, "a deleted chat is gone")
	})
}

func TestAFaultOfAnUnknownRouteNamesTheNearest(t *testing.T) {
	srv := ryzetest.NewServer(ryzetest.InMemory())
	defer srv.Close()
	for name, want := range map[string]string{
		"message.text":                         `"messages.text"`,
		"messages.txt":                         `"messages.text"`,
		"groups.membrs":                        `"groups.`,
		"POST /api/message/text":               `"POST /api/message/text/:instance"`,
		"GET /api/instance/lists":              `"GET /api/instance/list"`,
		"POST /api/message/picture/:instance/": `"POST /api/message/`,
	} {
		func() {
			defer func() { assert.Contains(t, fmt.Sprint(recover()), want, name) }()
			srv.Fault(name, ryzetest.Fault{Status: 500})
		}()
	}
}
