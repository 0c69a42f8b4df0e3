package ryzetest

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAResetStartsAfresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(InMemory(), WithControl(""), WithWebhookHandler(http.NotFoundHandler()), WithWebhookRetry(time.Minute))
		defer s.Close()
		c, api := sim{t, s}, client{t, s, s.AccountToken}
		paired, bare := s.AddInstance("paired"), s.AddInstance("bare")
		paired.Pair("5511900000001")
		c.do("POST", "instances", `{"name":"of the page"}`)
		require.Equal(t, 201, api.do("POST", "/api/instance/new", `{"name":"of a program"}`).status)
		require.Equal(t, 200, api.do("POST", "/api/events/webhook/paired", `{"enabled":true,"url":"http://hooks.test"}`).status)
		c.do("POST", "instances/bare/pair", `{}`)
		c.do("POST", "contacts", `{"phone":"5511987654321","name":"Ana"}`)
		c.do("POST", "faults", `{"what":"503","route":"GET /health"}`)
		c.do("POST", "windows/eat", `{"key":"account","n":50}`)
		c.do("POST", "instances/paired/receive", `{"from":"5511987654321","text":"Hi"}`)
		sent := paired.TypeOnPhone("5511987654321", Incoming{Text: "a receipt is on its way"})
		synctest.Wait()
		require.NotEmpty(t, s.Deliveries(), "a retry is on its way")
		token, last := paired.Token(), s.Requests()[1].Number
		changes := c.changes("")

		c.do("POST", "reset", "")
		kind := ""
		for kind != "lost" {
			_, change := changes.next()
			kind = change["kind"].(string)
		}
		require.NoError(t, changes.body.Close())
		state := c.state()
		require.Len(t, state["instances"], 2)
		assert.Equal(t, "connected", get(state, "instances", 0, "state"))
		assert.Equal(t, token, get(state, "instances", 0, "token"))
		assert.Equal(t, "5511900000001", get(state, "instances", 0, "phone"))
		assert.Equal(t, "disconnected", get(state, "instances", 1, "state"))
		assert.Empty(t, state["contacts"])
		assert.Empty(t, state["faults"])
		assert.EqualValues(t, 100, get(state, "windows", 0, "remaining"))
		assert.Empty(t, c.do("GET", "instances/paired/chats", "").at("chats"))
		require.Equal(t, 200, api.do("POST", "/api/events/webhook/paired", `{"enabled":true,"url":"http://hooks.test/new"}`).status)

		// Who holds an instance goes on with it, and nothing of before comes after.
		time.Sleep(time.Hour)
		_, found := paired.Message(sent)
		assert.False(t, found)
		assert.Empty(t, s.Deliveries())
		assert.Empty(t, s.DeadLetters())
		assert.NotEmpty(t, paired.Receive(Incoming{From: "5511987654321", Text: "Hello again"}))
		assert.Len(t, c.messages("paired", "5511987654321"), 1)
		assert.Same(t, paired, s.Instance("paired"))
		assert.Same(t, bare, s.Instance("bare"))
		require.Equal(t, 200, api.do("GET", "/api/instance/list", "").status)
		assert.Greater(t, s.Requests()[0].Number, last, "numbers go on")
	})
}

func TestAResetDoesNotWaitForWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(InMemory(), WithControl(""))
		defer s.Close()
		shop := s.AddInstance("shop")
		shop.Pair("")
		status := make(chan int)
		go func() {
			a := client{t, s, shop.Token()}.do("POST", "/api/message/text/shop", `{"number":"5511987654321","message":"Hi","delay":5}`)
			status <- a.status
		}()
		synctest.Wait()
		sim{t, s}.do("POST", "reset", "")
		assert.Equal(t, 200, <-status, "it is sent into the new beginning")
		assert.Len(t, shop.Messages(), 1)
	})
}

func TestADeliveryUnderWayEndsWithTheReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		hook := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { <-answer; w.WriteHeader(http.StatusTeapot) })
		s := NewServer(InMemory(), WithControl(""), WithWebhookHandler(hook), WithWebhookRetry())
		defer s.Close()
		shop := s.AddInstance("shop")
		shop.Pair("")
		client{t, s, shop.Token()}.do("POST", "/api/events/webhook/shop", `{"enabled":true,"url":"http://hooks.test"}`)
		shop.Receive(Incoming{From: "5511987654321", Text: "Hi"})
		synctest.Wait()
		sim{t, s}.do("POST", "reset", "")
		close(answer)
		synctest.Wait()
		assert.Empty(t, s.Deliveries())
		assert.Empty(t, s.DeadLetters())
	})
}

// Some programs write all the time while somebody presses reset.
func TestAResetWhileEverythingMoves(t *testing.T) {
	s := NewServer(WithControl(""), WithRateLimit(-1), WithWebhookHandler(http.NotFoundHandler()), WithWebhookRetry(time.Millisecond))
	t.Cleanup(s.Close)
	shop := s.AddInstance("shop")
	shop.Pair("")
	c, api := sim{t, s}, client{t, s, shop.Token()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 200 {
			api.do("POST", "/api/events/webhook/shop", `{"enabled":true,"url":"http://hooks.test"}`)
			api.do("POST", "/api/message/text/shop", `{"number":"5511987654321","message":"Hi"}`)
			shop.Receive(Incoming{From: "5511987654321", Text: "Hi"})
		}
	}()
	for range 50 {
		c.do("POST", "reset", "")
		c.do("GET", "state", "")
		c.do("GET", "deliveries", "")
		c.do("GET", "requests", "")
		c.do("GET", "instances/shop/chats", "")
	}
	<-done
	c.do("POST", "reset", "")
	assert.Empty(t, shop.Messages())
}

// A delivery that is under way at a reset belongs to what was before it, also when its
// instance is gone for good.
func TestADeliveryOfBeforeAResetIsNotLoggedAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) })
		s := NewServer(InMemory(), WithControl(""), WithWebhookHandler(slow))
		defer s.Close()
		c, api := sim{t, s}, client{t, s, s.AccountToken}
		require.Equal(t, 201, api.do("POST", "/api/instance/new", `{"name":"a"}`).status)
		require.Equal(t, 200, api.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://hooks.test"}`).status)
		c.do("POST", "instances/a/pair", "")
		synctest.Wait()
		c.do("POST", "reset", "")
		time.Sleep(time.Minute)
		assert.Empty(t, s.Deliveries())
		assert.Empty(t, s.DeadLetters())
	})
}
