package ryze

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// person is somebody with a phone and a LID.
type person int

func (p person) phone() string { return fmt.Sprintf("55119000%05d", int(p)) }
func (p person) lid() string   { return fmt.Sprintf("9%014d", int(p)) }

// asPhone is the person's phone in one of the forms in which it may come.
func (p person) asPhone(form int) JID {
	forms := []string{"%s@s.whatsapp.net", "%s", "%s:7@s.whatsapp.net", "%s@c.us", "%s.0:7@s.whatsapp.net", "%s@hosted", "%s:99@hosted"}
	return JID(fmt.Sprintf(forms[form%len(forms)], p.phone()))
}

func (p person) asLID(form int) JID {
	forms := []string{"%s@lid", "%s:3@lid", "%s@hosted.lid", "%s"}
	return JID(fmt.Sprintf(forms[form%len(forms)], p.lid()))
}

// inChat is a message of a chat.
func inChat(id string, chat EventChat) *Event {
	return &Event{Type: EventMessage, Instance: "support-line", Data: &MessageEvent{ID: id, Chat: chat}}
}

// receiptIn is a receipt of a chat, which has one address alone.
func receiptIn(jid JID) *Event {
	return &Event{Type: EventReceipt, Instance: "support-line", Data: &ReceiptEvent{MessageIDs: []string{"1"}, Chat: EventChat{JID: jid}}}
}

// Whatever begins, ends and is given up in whatever order: in a lane one turn
// is under way at most, turns begin in the order in which they came, and none is
// left waiting. From the event on that names both, a phone and a LID are one.
func TestTurnsOfAChatAreOneAtATimeAndInOrderUnderAnyTiming(t *testing.T) {
	t.Parallel()
	const people, steps = 6, 2_000
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		var o lanes
		ready := turnList{kind: linkOffer}
		type seen struct {
			who  person
			lid  bool // named by the LID
			both bool
			n    int
		}
		known := map[person]bool{}
		all := map[*turn]*seen{}
		var running, waiting []*turn
		same := func(a, b *seen) bool {
			return a.who == b.who && (known[a.who] || a.both || b.both || a.lid == b.lid)
		}
		begin := func() {
			t1 := ready.head
			if t1 == nil {
				return
			}
			for skip := random.IntN(3); skip > 0 && t1.links[linkOffer].next != nil; skip-- {
				t1 = t1.links[linkOffer].next
			}
			me := all[t1]
			for _, other := range running {
				require.False(t, same(me, all[other]), "seed %d: two handlers in one chat", seed)
			}
			for _, other := range waiting {
				if o := all[other]; o.n < me.n {
					require.False(t, same(me, o), "seed %d: %d has overtaken %d", seed, me.n, o.n)
				}
			}
			o.begin(t1)
			waiting = without(waiting, t1)
			running = append(running, t1)
		}
		leave := func(list []*turn) {
			if len(list) == 0 {
				return
			}
			t1 := list[random.IntN(len(list))]
			o.leave(t1)
			delete(all, t1)
			running, waiting = without(running, t1), without(waiting, t1)
		}
		pairFrom := random.IntN(steps) // before it, nobody's two names are known to be one
		for n := range steps {
			switch random.IntN(10) {
			case 0, 1, 2, 3:
				s := &seen{who: person(random.IntN(people)), n: n}
				var chat EventChat
				switch random.IntN(3) {
				case 0:
					chat.JID = s.who.asPhone(random.IntN(7))
				case 1:
					chat.JID, s.lid = s.who.asLID(random.IntN(4)), true
				default:
					if n < pairFrom {
						continue
					}
					s.both, known[s.who] = true, true
					chat = EventChat{JID: s.who.asPhone(random.IntN(7)), LID: s.who.asLID(random.IntN(3))}
				}
				turn := &turn{event: inChat("", chat), offers: &ready}
				all[turn] = s
				waiting = append(waiting, turn)
				o.enter(turn)
			case 4, 5, 6:
				begin()
			case 7, 8:
				leave(running)
			default:
				if random.IntN(8) == 0 {
					leave(waiting)
				}
			}
		}
		for len(running)+len(waiting) > 0 {
			before := len(running) + len(waiting)
			begin()
			leave(running)
			require.Less(t, len(running)+len(waiting), before, "seed %d: turns are left that are not offered", seed)
		}
		require.Empty(t, o.byName)
		require.Nil(t, ready.head)
	}
}

func without(list []*turn, t *turn) []*turn {
	for i := range list {
		if list[i] == t {
			return append(list[:i:i], list[i+1:]...)
		}
	}
	return list
}

// One person's chat is one lane, whatever the event and whichever address.
func TestOneChatHasOneNameWhicheverAddressCame(t *testing.T) {
	const who = person(7)
	for what, teacher := range map[string]*Event{
		"the chat":    inChat("", EventChat{JID: who.asPhone(0), LID: who.asLID(0)}),
		"swapped":     inChat("", EventChat{JID: who.asLID(0), LID: who.asPhone(0)}),
		"a device":    inChat("", EventChat{JID: who.asPhone(2), LID: who.asLID(1)}),
		"the receipt": {Type: EventReceipt, Instance: "support-line", Data: &ReceiptEvent{Chat: EventChat{JID: who.asPhone(0), LID: who.asLID(0)}}},
		"the call":    {Type: EventCall, Instance: "support-line", Data: &CallEvent{Chat: EventChat{JID: who.asPhone(0), LID: who.asLID(0)}}},
		"a sender in a group": {Type: EventMessage, Instance: "support-line", Data: &MessageEvent{
			Chat: EventChat{JID: "120363000000000001@g.us"}, Sender: EventUser{JID: who.asPhone(0), LID: who.asLID(0)},
		}},
		"the sender of a private message": {Type: EventMessage, Instance: "support-line", Data: &MessageEvent{
			Direction: DirectionIncoming, Chat: EventChat{JID: who.asPhone(0)}, Sender: EventUser{JID: who.asLID(1), LID: who.asLID(0)},
		}},
		"the recipient": {Type: EventMessage, Instance: "support-line", Data: &MessageEvent{
			Direction: DirectionOutgoing, Chat: EventChat{JID: who.asPhone(0)}, Recipient: &EventUser{JID: who.asPhone(0), LID: who.asLID(0)},
		}},
		"a member": {Type: EventGroup, Instance: "support-line", Data: &GroupEvent{
			Group: "120363000000000001@g.us", Participants: []EventUser{{JID: who.asPhone(0), LID: who.asLID(0)}},
		}},
	} {
		var o lanes
		ready := turnList{kind: linkOffer}
		enter := func(e *Event) *turn {
			turn := &turn{event: e, offers: &ready}
			o.enter(turn)
			return turn
		}
		o.leave(enter(teacher))
		require.Empty(t, o.byName)
		first := enter(receiptIn(who.asPhone(0)))
		for form := range 7 {
			assert.Same(t, first.root(), enter(receiptIn(who.asPhone(form))).root(), "%s: phone %d", what, form)
			assert.Same(t, first.root(), enter(inChat("", EventChat{JID: who.asLID(form)})).root(), "%s: LID %d", what, form)
		}
		label := &Event{Type: EventLabel, Instance: "support-line", Data: &LabelEvent{Chat: who.asLID(0)}}
		assert.Same(t, first.root(), enter(label).root(), what)
		other := inChat("", EventChat{JID: who.asPhone(0)})
		other.Instance = "another"
		assert.NotSame(t, first.root(), enter(other).root(), "%s: another instance", what)
		assert.NotSame(t, first.root(), enter(receiptIn(person(8).asPhone(0))).root(), what)
	}
}

// The account's own addresses come with every message that it sends. They join
// no chats.
func TestTheAccountsOwnAddressesJoinNoChats(t *testing.T) {
	var o lanes
	ready := turnList{kind: linkOffer}
	roots := map[*lane]bool{}
	for n := range 100 {
		e := inChat("", EventChat{JID: person(n).asPhone(0), LID: person(n).asLID(0)})
		m := e.Data.(*MessageEvent)
		m.Direction, m.Sender = DirectionOutgoing, EventUser{JID: person(999).asPhone(2), LID: person(999).asLID(1)}
		turn := &turn{event: e, offers: &ready}
		o.enter(turn)
		roots[turn.root()] = true
	}
	assert.Len(t, roots, 100)
}

// Nor does one address that is told, by mistake, to be everybody's.
func TestAddressThatIsToldToBeEverybodysJoinsNoChats(t *testing.T) {
	var o lanes
	ready := turnList{kind: linkOffer}
	for n := range 100 {
		o.book.learn(&Event{Type: EventMessage, Instance: "support-line", Data: &MessageEvent{
			Direction: DirectionIncoming, Chat: EventChat{JID: person(n).asPhone(0)}, Sender: EventUser{JID: person(999).asLID(0)},
		}})
	}
	roots := map[*lane]bool{}
	for n := range 100 {
		turn := &turn{event: receiptIn(person(n).asPhone(0)), offers: &ready}
		o.enter(turn)
		roots[turn.root()] = true
	}
	assert.Len(t, roots, 100)
}

// A number that moved to another LID is in the lane of the last one, and of what
// waits under the one before.
func TestNumberThatChangesItsLIDIsInOneLane(t *testing.T) {
	var o lanes
	ready := turnList{kind: linkOffer}
	enter := func(chat EventChat) *turn {
		turn := &turn{event: inChat("", chat), offers: &ready}
		o.enter(turn)
		return turn
	}
	a := enter(EventChat{JID: person(1).asPhone(0), LID: person(1).asLID(0)})
	b := enter(EventChat{JID: person(1).asPhone(0), LID: person(2).asLID(0)})
	c := enter(EventChat{JID: person(2).asLID(0)})
	assert.Same(t, a.root(), b.root())
	assert.Same(t, a.root(), c.root())
	for _, turn := range []*turn{a, b, c} {
		require.Same(t, turn, ready.head)
		o.begin(turn)
		assert.Nil(t, ready.head)
		o.leave(turn)
	}
	assert.Empty(t, o.byName)
}

func TestMemoryOfPeopleIsBounded(t *testing.T) {
	t.Parallel()
	var b addressBook
	for n := range 5 * knownPeople {
		b.learn(inChat("", EventChat{JID: person(n).asPhone(0), LID: person(n).asLID(0)}))
		name, _ := chatName(person(0).asPhone(0))
		_, known := b.partner(laneName{instance: "support-line", chat: name})
		require.True(t, known, "who is heard of is not forgotten")
	}
	assert.LessOrEqual(t, len(b.other.young)+len(b.other.old), 2*knownPeople)

	var o lanes
	ready := turnList{kind: linkOffer}
	var turns []*turn
	for n := range 10 * mostEmptyLanes {
		turn := &turn{event: receiptIn(person(n).asPhone(0)), offers: &ready}
		o.enter(turn)
		turns = append(turns, turn)
	}
	for _, turn := range turns {
		o.leave(turn)
	}
	assert.Nil(t, o.byName, "a map keeps the room that it once had")
}

// lanesWith is a queue by lanes with n events of one chat waiting behind one
// that is being handled.
func lanesWith(b *testing.B, n int) *eventQueue {
	b.Helper()
	q := newEventQueue("support-line", &streamConfig{bufferEvents: 1 << 30, bufferBytes: math.MaxInt32})
	q.sortAll()
	now := time.Now()
	for range n + 1 {
		require.NoError(b, q.push(receiptIn(person(0).asPhone(0)), now))
	}
	busy, _, _ := q.takeTurn(false)
	require.NotNil(b, busy)
	return &q
}

// BenchmarkQueueByLanes measures one event of a free chat: put in, chosen and
// ended, while others of a busy chat wait.
func BenchmarkQueueByLanes(b *testing.B) {
	for _, n := range []int{0, 1000, 100_000} {
		b.Run(fmt.Sprintf("waiting=%d", n), func(b *testing.B) {
			q := lanesWith(b, n)
			e, now := receiptIn(person(1).asPhone(0)), time.Now()
			b.ReportAllocs()
			for b.Loop() {
				_ = q.push(e, now)
				t, _, _ := q.takeTurn(false)
				q.endTurn(t)
			}
		})
	}
}

// BenchmarkQueueInALine measures the same with one chat for all: the one in
// front ends, the next begins, one more comes.
func BenchmarkQueueInALine(b *testing.B) {
	for _, n := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprintf("waiting=%d", n), func(b *testing.B) {
			q := newEventQueue("support-line", &streamConfig{bufferEvents: n, bufferBytes: math.MaxInt32})
			q.sortAll()
			e, now := receiptIn(person(1).asPhone(0)), time.Now()
			for range n {
				require.NoError(b, q.push(e, now))
			}
			b.ReportAllocs()
			for b.Loop() {
				t, _, _ := q.takeTurn(false)
				q.endTurn(t)
				_ = q.push(e, now)
			}
		})
	}
}

// BenchmarkQueueFromItsFront measures the way of Events and All: one in, one
// out, with others in between, and one in that pushes the oldest out.
func BenchmarkQueueFromItsFront(b *testing.B) {
	for _, n := range []int{1, 1000, 100_000} {
		fill := func(b *testing.B) (*eventQueue, *Event, time.Time) {
			b.Helper()
			q := newEventQueue("support-line", &streamConfig{bufferEvents: n, bufferBytes: math.MaxInt32})
			e, now := receiptIn(person(1).asPhone(0)), time.Now()
			for range n {
				require.NoError(b, q.push(e, now))
			}
			b.ReportAllocs()
			return &q, e, now
		}
		b.Run(fmt.Sprintf("waiting=%d", n), func(b *testing.B) {
			q, e, now := fill(b)
			for b.Loop() {
				_, _, _ = q.pop()
				_ = q.push(e, now)
			}
		})
		b.Run(fmt.Sprintf("dropping=%d", n), func(b *testing.B) {
			q, e, now := fill(b)
			for b.Loop() {
				_ = q.push(e, now)
			}
		})
	}
}
