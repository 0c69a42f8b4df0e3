package ryze

import "strings"

// laneName is one of the names of what events have in common that keep their
// order: a chat of an instance. Events that belong to no chat share a lane by
// their type.
type laneName struct {
	instance string
	chat     string // of a person only what stands before the @, of others all
	other    EventType
}

// Servers of people's addresses beside those that the service documents:
// WhatsApp's older name for phones, and the numbers that a business has hosted.
const (
	serverOldUser   = "c.us"
	serverHosted    = "hosted"
	serverHostedLID = "hosted.lid"
)

// chatName brings an address into the form in which lanes compare it, and
// reports whether it is a person's. A person's server is left out: digits may
// come without it, and nobody then knows whether they are a phone or a LID. Two
// people whose phone and LID have the same digits share a lane, which is safe.
func chatName(j JID) (name string, person bool) {
	user, _, server := j.split()
	switch strings.ToLower(server) {
	case serverUser, serverLID, serverOldUser, serverHosted, serverHostedLID:
		person = true
	case "":
		person = isDigits(user)
	}
	if !person {
		return string(j.Bare()), false
	}
	if digits, _, ok := strings.Cut(user, "."); ok && isDigits(digits) {
		user = digits // an agent, as in 5511987654321.0:12
	}
	return user, true
}

// chatOf returns the chat that an event belongs to, without any address when
// it belongs to none.
func chatOf(e *Event) EventChat {
	switch d := e.Data.(type) {
	case *MessageEvent:
		return d.Chat
	case *ReceiptEvent:
		return d.Chat
	case *CallEvent:
		return d.Chat
	case *GroupEvent:
		return EventChat{JID: d.Group}
	case *LabelEvent:
		return EventChat{JID: d.Chat}
	default:
		return EventChat{}
	}
}

// addressBook knows which phone and which LID are one person's, as far as
// events have said so. It forgets those that it has not heard of for long.
type addressBook struct {
	other generations[laneName, string] // of a person's two names, by each of them
}

// knownPeople is how many names of people are remembered at least.
const knownPeople = 32 << 10

// pair notes that two addresses are one person's. What was heard last counts.
func (b *addressBook) pair(instance string, x, y JID) {
	if x == "" || y == "" || x == y {
		return
	}
	a, ok1 := chatName(x)
	c, ok2 := chatName(y)
	if !ok1 || !ok2 || a == c || a == "" || c == "" {
		return
	}
	b.note(laneName{instance: instance, chat: a}, c)
	b.note(laneName{instance: instance, chat: c}, a)
}

func (b *addressBook) note(name laneName, other string) {
	if known, ok := b.other.young[name]; !ok || known != other {
		name.chat = strings.Clone(name.chat) // what is cut out of a text keeps all of it
		b.other.put(name, strings.Clone(other), knownPeople)
	}
}

// learn takes from an event what it says of people.
func (b *addressBook) learn(e *Event) {
	user := func(u EventUser) { b.pair(e.Instance, u.JID, u.LID) }
	switch d := e.Data.(type) {
	case *MessageEvent:
		user(d.Sender)
		if d.Recipient != nil {
			user(*d.Recipient)
		}
		if _, person := chatName(d.Chat.JID); person && d.Direction == DirectionIncoming {
			// Who writes in a private chat is that chat: the phone of a sender who
			// is known by LID may be there only, or the other way round.
			b.pair(e.Instance, d.Chat.JID, d.Sender.JID)
		}
	case *GroupEvent:
		for _, p := range d.Participants {
			user(p)
		}
	}
	chat := chatOf(e) // last, because it is the most certain
	b.pair(e.Instance, chat.JID, chat.LID)
}

// partner returns the other name of a person, if both are each other's.
func (b *addressBook) partner(name laneName) (laneName, bool) {
	chat, ok := b.other.get(name)
	if !ok {
		return laneName{}, false
	}
	other := laneName{instance: name.instance, chat: chat}
	back, _ := b.other.get(other)
	if back != name.chat {
		return laneName{}, false
	}
	b.note(name, chat) // in use, so not to be forgotten
	b.note(other, name.chat)
	return other, true
}

// names returns the names of an event's lane, in room for four.
func (b *addressBook) names(room []laneName, e *Event) []laneName {
	chat := chatOf(e)
	for _, j := range [2]JID{chat.JID, chat.LID} {
		if j == "" {
			continue
		}
		text, person := chatName(j)
		name := laneName{instance: e.Instance, chat: text}
		room = append(room, name)
		if !person {
			continue
		}
		if other, ok := b.partner(name); ok {
			room = append(room, other)
		}
	}
	if len(room) == 0 {
		room = append(room, laneName{instance: e.Instance, other: e.Type})
	}
	return room
}

// turn is an event's place in the order of its lane.
type turn struct {
	event *Event
	links [linkKinds]struct{ prev, next *turn }

	lane    *lane     // nil when it is in no lane
	seq     uint64    // among all turns of the order
	offers  *turnList // where it waits once its turn has come
	running bool

	// In a stream's queue.
	undone  bool // it was taken, and will not be handled
	size    int
	at      int64    // when it came, in Unix nanoseconds
	whole   int64    // until when the stream is handled at most while this is not, in Unix nanoseconds
	section *section // that it is in, or that it opens, being a gap

	place *place // in an inbox
}

// place is how a turn of an inbox comes to a place among the handlers.
type place struct {
	granted chan struct{} // closed when the handler may run
	placed  bool          // so it is
	arrived chan struct{} // nil, or closed when the chat may be locked
	keys    []string      // of the locks of the chat
	asks    bool          // has them, and waits for a place
}

// linkKind says which of the lists that a turn can be in at once.
type linkKind int

const (
	linkLane  linkKind = iota // turns of a lane that wait
	linkOffer                 // turns that may begin
	linkQueue                 // everything in a stream's queue
	linkKinds
)

// turnList is a list of turns. Every operation takes constant time.
type turnList struct {
	head, tail *turn
	kind       linkKind
}

func (l *turnList) push(t *turn) {
	t.links[l.kind].prev = l.tail
	if l.tail == nil {
		l.head = t
	} else {
		l.tail.links[l.kind].next = t
	}
	l.tail = t
}

func (l *turnList) remove(t *turn) {
	link := &t.links[l.kind]
	if link.prev == nil {
		l.head = link.next
	} else {
		link.prev.links[l.kind].next = link.next
	}
	if link.next == nil {
		l.tail = link.prev
	} else {
		link.next.links[l.kind].prev = link.prev
	}
	link.prev, link.next = nil, nil
}

// lane is the turns of one chat: those that wait, and how many are under way.
// That is one at most, unless two chats had begun before they were known to be
// the same.
type lane struct {
	waiting turnList
	joined  []*lane // lanes whose chat turned out to be this one, while turns wait there
	into    *lane   // where this one has joined
	names   []laneName
	few     [2]laneName // what names usually fits into
	running int
	offered *turn
}

// lanes keeps the order of chats: the first turn of each lane in which none is
// under way is offered. Choosing one, adding and removing take the same time
// whatever waits. It is the one mechanism for the order per chat; whoever uses
// it does so under a lock.
type lanes struct {
	book   addressBook
	byName map[laneName]*lane
	most   int // how many there have been in byName
	seq    uint64
}

// enter adds a turn at the end of its event's lane.
func (o *lanes) enter(t *turn) {
	o.book.learn(t.event)
	var room [4]laneName
	names := o.book.names(room[:0], t.event)
	var l *lane
	for _, name := range names {
		if other := o.byName[name]; other != nil && other != l {
			l = o.join(l, other)
		}
	}
	if l == nil {
		l = &lane{}
		l.names = l.few[:0]
	}
	for _, name := range names {
		o.name(l, name)
	}
	o.seq++
	t.seq, t.lane = o.seq, l
	l.waiting.push(t)
	o.offerNext(l)
}

func (o *lanes) name(l *lane, name laneName) {
	known := o.byName[name]
	if known == l {
		return
	}
	if o.byName == nil {
		o.byName = make(map[laneName]*lane)
	}
	o.byName[name] = l
	o.most = max(o.most, len(o.byName))
	if known == nil {
		l.names = append(l.names, name)
	}
}

// join makes one lane of two whose chats turned out to be the same.
func (o *lanes) join(a, b *lane) *lane {
	if a == nil {
		return b
	}
	if len(a.names) < len(b.names) {
		a, b = b, a
	}
	for _, name := range b.names {
		o.byName[name] = a
	}
	a.names = append(a.names, b.names...)
	a.joined = append(append(a.joined, b), b.joined...)
	a.running += b.running
	o.offer(b, nil)
	b.into, b.names, b.joined, b.running = a, nil, nil, 0
	return a
}

// root is the lane that counts for a turn.
func (t *turn) root() *lane {
	l := t.lane
	for l.into != nil {
		l = l.into
	}
	return l
}

// first returns the turn of the lane that came first.
func (l *lane) first() *turn {
	t := l.waiting.head
	keep := l.joined[:0]
	for _, part := range l.joined {
		head := part.waiting.head
		if head == nil {
			continue
		}
		keep = append(keep, part)
		if t == nil || head.seq < t.seq {
			t = head
		}
	}
	clear(l.joined[len(keep):])
	l.joined = keep
	return t
}

// offerNext offers the turn that is to be offered, and forgets an empty lane.
func (o *lanes) offerNext(l *lane) {
	var t *turn
	if l.running == 0 {
		t = l.first()
	}
	o.offer(l, t)
	if t != nil || l.running > 0 {
		return
	}
	for _, name := range l.names {
		delete(o.byName, name)
	}
	if len(o.byName) == 0 && o.most > mostEmptyLanes {
		o.byName, o.most = nil, 0 // a map keeps the room that it once had
	}
}

// mostEmptyLanes is for how many lanes there is room while there is none.
const mostEmptyLanes = 1024

func (o *lanes) offer(l *lane, t *turn) {
	if l.offered == t {
		return
	}
	if l.offered != nil {
		l.offered.offers.remove(l.offered)
	}
	if t != nil {
		t.offers.push(t)
	}
	l.offered = t
}

// isOffered reports whether a turn may begin.
func (t *turn) isOffered() bool { return t.lane != nil && !t.running && t.root().offered == t }

// begin starts a turn that was offered. No other of its lane is offered until
// it has left.
func (o *lanes) begin(t *turn) {
	l := t.root()
	t.lane.waiting.remove(t)
	o.offer(l, nil)
	t.running = true
	l.running++
}

// leave ends a turn, whether it has begun or not.
func (o *lanes) leave(t *turn) {
	l := t.root()
	if t.running {
		l.running--
	} else {
		if l.offered == t {
			o.offer(l, nil)
		}
		t.lane.waiting.remove(t)
	}
	o.offerNext(l)
	t.lane = nil
}

// section is the part of a queue between two gaps. What comes after a gap may
// not begin before it, whatever its lane.
type section struct {
	gap   *turn    // the gap before it, nil for the first
	ready turnList // turns of the section that may begin, as far as lanes go
}

func newSection(gap *turn) *section {
	return &section{gap: gap, ready: turnList{kind: linkOffer}}
}
