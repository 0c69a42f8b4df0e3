package ryze_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lost is a send whose reply is lost: after the service has carried it out, or
// before.
func lost(t *testing.T, sim *ryzetest.Server, inst *InstanceClient, accepted bool, to JID, content Content) error {
	t.Helper()
	drop := ryzetest.DropAfterRead
	if accepted {
		drop = ryzetest.DropAfterProcess
	}
	sim.Fault("*", ryzetest.Fault{Drop: drop})
	_, err := inst.Messages.Send(t.Context(), to, content)
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	return err
}

var oneOfEachKind = map[string]struct {
	to      JID
	content Content
	found   error // when it was sent
	missing error // when it was not
}{
	"text":     {Ana, Text("Hello"), nil, ErrNotSent},
	"picture":  {Ana, Media{Source: MediaBytes("a.png", PNGHead), Caption: "look"}, nil, ErrNotSent},
	"no words": {Family, Media{Source: MediaURL("https://example.com/a.mp4")}, nil, ErrNotSent},
	"document": {Ana, Media{Source: MediaBytes("a.bin", []byte{1, 2, 3}), MIME: "application/x-acme"}, nil, ErrNotSent},
	"sticker":  {Ana, Sticker{MediaBytes("s.png", PNGHead)}, nil, ErrNotSent},
	"location": {Ana, Location{1, 2, "Office", "Street 1"}, ErrOutcomeUnknown, ErrNotSent},
	"contact":  {Ana, ContactCard{FullName: "Bia", Phone: "5521987654321"}, ErrOutcomeUnknown, ErrNotSent},
	"contacts": {Ana, ContactCards{{FullName: "Bia", Phone: "5521987654321"}, {FullName: "Cid", Phone: "5531987654321"}}, ErrOutcomeUnknown, ErrNotSent},
	"poll":     {Family, Poll{Question: "When?", Options: []string{"9am", "2pm"}}, nil, ErrNotSent},
	"buttons":  {Ana, Buttons{Text: "Choose", Buttons: []Button{{Label: "A", Value: "a"}}}, nil, ErrNotSent},
	"list":     {Ana, List{Text: "Menu", Label: "Open", Sections: []ListSection{{"S", []ListRow{{ID: "r", Title: "R"}}}}}, nil, ErrNotSent},
	"carousel": {Ana, Carousel{Text: "Pick", Cards: []Card{{Title: "T", Text: "x", Buttons: []Button{{Label: "A", Value: "a"}}}}}, nil, ErrNotSent},
	"form":     {Ana, Form{Text: "Fill in"}, nil, ErrNotSent},
	"pix":      {Ana, Pix{MerchantName: "Acme", Key: "a@example.com", KeyType: PixEmail}, ErrOutcomeUnknown, ErrNotSent},
	"event":    {Ana, CalendarEvent{Name: "Meeting", StartAt: Noon}, nil, ErrNotSent},
	"status":   {StatusBroadcast, TextStatus{Text: "News"}, ErrOutcomeUnknown, ErrOutcomeUnknown},
}

// A message that was sent is never called missing, one that was not is never
// called sent, whatever its kind.
func TestSettleOfEveryKind(t *testing.T) {
	for name, c := range oneOfEachKind {
		for _, accepted := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s %t", name, accepted), func(t *testing.T) {
				simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
					inst := paired(t, sim, client, "a")
					err := lost(t, sim, inst, accepted, c.to, c.content)
					time.Sleep(time.Minute)
					message, err := inst.Messages.Settle(t.Context(), err)
					if accepted {
						sent := sim.Instance("a").Sent()
						require.Len(t, sent, 1)
						assert.NotErrorIs(t, err, ErrNotSent)
						if err == nil {
							assert.Equal(t, sent[0].ID, message.ID)
							assert.Equal(t, JID(sent[0].Chat), message.Chat)
						}
						assert.ErrorIs(t, err, c.found, "%s stored as %s %q", name, sent[0].Kind, sent[0].Text)
					} else {
						assert.ErrorIs(t, err, c.missing)
						assert.Nil(t, message)
					}
					assert.Empty(t, sim.Violations())
				})
			})
		}
	}
}

// Another message with the same words is never taken for the one looked for.
func TestSettleDoesNotTakeAnotherMessageForTheLostOne(t *testing.T) {
	for name, c := range map[string]struct {
		before, after func(t *testing.T, sim *ryzetest.Server, inst *InstanceClient)
		accepted      bool
		want          error
	}{
		"an hour before, by hand": {
			before: func(t *testing.T, sim *ryzetest.Server, _ *InstanceClient) {
				sim.Instance("a").TypeOnPhone(string(Ana), ryzetest.Incoming{Text: "Hello"})
				time.Sleep(time.Hour)
			},
			want: ErrNotSent,
		},
		"a second before, by hand": {
			before: func(t *testing.T, sim *ryzetest.Server, _ *InstanceClient) {
				sim.Instance("a").TypeOnPhone(string(Ana), ryzetest.Incoming{Text: "Hello"})
				time.Sleep(time.Second)
			},
			want: ErrOutcomeUnknown,
		},
		"at the same moment, by this client": {
			before: func(t *testing.T, _ *ryzetest.Server, inst *InstanceClient) {
				_, err := inst.Messages.SendText(t.Context(), Ana, "Hello")
				require.NoError(t, err)
			},
			want: ErrNotSent,
		},
		"at the same moment, by this client, and this one too": {
			before: func(t *testing.T, _ *ryzetest.Server, inst *InstanceClient) {
				_, err := inst.Messages.SendText(t.Context(), Ana, "Hello")
				require.NoError(t, err)
			},
			accepted: true, want: nil,
		},
		"later, by this client": {
			after: func(t *testing.T, _ *ryzetest.Server, inst *InstanceClient) {
				_, err := inst.Messages.SendText(t.Context(), Ana, "Hello")
				require.NoError(t, err)
			},
			want: ErrNotSent,
		},
		"later, by this client, forwarded": {
			after: func(t *testing.T, _ *ryzetest.Server, inst *InstanceClient) {
				other, err := inst.Messages.SendText(t.Context(), "5521987654321", "Hello")
				require.NoError(t, err)
				_, err = inst.Messages.Forward(t.Context(), other.ID, Ana)
				require.NoError(t, err)
			},
			want: ErrNotSent,
		},
		"later, by hand": {
			after: func(t *testing.T, sim *ryzetest.Server, _ *InstanceClient) {
				sim.Instance("a").TypeOnPhone(string(Ana), ryzetest.Incoming{Text: "Hello"})
			},
			accepted: true, want: ErrOutcomeUnknown,
		},
		"with other words": {
			after: func(t *testing.T, sim *ryzetest.Server, _ *InstanceClient) {
				sim.Instance("a").TypeOnPhone(string(Ana), ryzetest.Incoming{Text: "Goodbye"})
			},
			want: ErrNotSent,
		},
		"as a caption": {
			after: func(t *testing.T, sim *ryzetest.Server, _ *InstanceClient) {
				sim.Instance("a").TypeOnPhone(string(Ana), ryzetest.Incoming{Text: "Hello", Media: &ryzetest.File{Data: PNGHead}})
			},
			want: ErrOutcomeUnknown,
		},
		"from the other side": {
			after: func(t *testing.T, sim *ryzetest.Server, _ *InstanceClient) {
				sim.Instance("a").Receive(ryzetest.Incoming{From: string(Ana), Text: "Hello"})
			},
			want: ErrNotSent,
		},
		"in another chat": {
			after: func(t *testing.T, sim *ryzetest.Server, _ *InstanceClient) {
				sim.Instance("a").TypeOnPhone("5521987654321", ryzetest.Incoming{Text: "Hello"})
			},
			want: ErrNotSent,
		},
	} {
		t.Run(name, func(t *testing.T) {
			simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
				inst := paired(t, sim, client, "a")
				_, err := inst.Chats.HistoryPage(t.Context(), Ana, HistoryQuery{}) // the clocks are compared
				require.NoError(t, err)
				if c.before != nil {
					c.before(t, sim, inst)
				}
				uncertain := lost(t, sim, inst, c.accepted, Ana, Text("Hello"))
				time.Sleep(time.Second)
				if c.after != nil {
					c.after(t, sim, inst)
				}
				time.Sleep(time.Minute)
				message, err := inst.Messages.Settle(t.Context(), uncertain)
				assert.ErrorIs(t, err, c.want)
				assert.Equal(t, c.want == nil, message != nil)
			})
		})
	}
}

func TestSettleExceptLeavesOutKnownMessages(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		uncertain := lost(t, sim, inst, false, Ana, Text("Hello"))
		other := sim.Instance("a").TypeOnPhone(string(Ana), ryzetest.Incoming{Text: "Hello"})
		time.Sleep(time.Minute)
		_, err := inst.Messages.Settle(t.Context(), uncertain, SettleExcept(other))
		assert.ErrorIs(t, err, ErrNotSent)
	})
}

// The history of a busy chat is searched to the moment of the attempt.
func TestSettleSearchesAllPages(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		uncertain := lost(t, sim, inst, true, Ana, Text("Hello"))
		for i := range 250 {
			time.Sleep(time.Second)
			sim.Instance("a").Receive(ryzetest.Incoming{From: string(Ana), Text: fmt.Sprint(i)})
		}
		message, err := inst.Messages.Settle(t.Context(), uncertain)
		assert.NoError(t, err)
		assert.Equal(t, sim.Instance("a").Sent()[0].ID, message.ID)
	})
}

func TestSettleKnowsBothFormsOfABrazilianNumber(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		sim.AddContact(ryzetest.Contact{Phone: "551187654321"}) // WhatsApp has the older form
		inst := paired(t, sim, client, "a")
		uncertain := lost(t, sim, inst, true, Ana, Text("Hello"))
		message, err := inst.Messages.Settle(t.Context(), uncertain)
		assert.NoError(t, err)
		assert.Equal(t, JID("551187654321@s.whatsapp.net"), message.Chat)
	})
}

func TestSettleSaysWhenItCouldNotAsk(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		uncertain := lost(t, sim, inst, true, Ana, Text("Hello"))
		sim.Fault("POST /api/chat/history/:instance", ryzetest.Fault{Times: 10, Status: http.StatusBadGateway})
		message, err := inst.Messages.Settle(t.Context(), uncertain)
		require.ErrorIs(t, err, ErrServer)
		assert.ErrorIs(t, err, ErrOutcomeUnknown)
		assert.Nil(t, message)
	})
}
