package ryze

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func receipt(status MessageStatus, ids ...string) *ReceiptEvent {
	return &ReceiptEvent{MessageIDs: ids, Status: status, Chat: EventChat{JID: "5511987654321@s.whatsapp.net"}, Recipient: "5511987654321@s.whatsapp.net"}
}

func steps(updates []ReceiptUpdate) []string {
	var s []string
	for _, u := range updates {
		s = append(s, fmt.Sprintf("%s:%s>%s", u.MessageID, u.Previous, u.Status))
	}
	return s
}

func TestReceiptsNeverGoBack(t *testing.T) {
	var r Receipts
	assert.Empty(t, r.Sent("1"))
	assert.Equal(t, []string{"1:>server_error"}, steps(r.Observe(receipt(StatusServerError, "1"))))
	assert.Equal(t, []string{"1:server_error>read"}, steps(r.Observe(receipt(StatusRead, "1"))))
	for _, late := range []MessageStatus{StatusDelivered, StatusRead, StatusServerError, StatusRetry, StatusInactive, StatusReadSelf, "new"} {
		assert.Empty(t, r.Observe(receipt(late, "1")), late)
		assert.Equal(t, StatusRead, r.Status("1", ""))
	}
	assert.Equal(t, []string{"1:read>played"}, steps(r.Observe(receipt(StatusPlayed, "1"))))
}

func TestReceiptForSeveralMessagesMovesEachOfThem(t *testing.T) {
	var r Receipts
	r.Sent("1")
	r.Sent("2")
	r.Observe(receipt(StatusRead, "2"))
	assert.Equal(t, []string{"1:>delivered"}, steps(r.Observe(receipt(StatusDelivered, "1", "2", "1"))))
}

func TestReceiptBeforeTheReplyOfItsSendIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Receipts{HoldFor: time.Minute}
		early := receipt(StatusRead, "1", "2")
		early.Timestamp = time.Unix(1777372200, 0)
		assert.Empty(t, r.Observe(early))
		assert.Empty(t, r.Observe(receipt(StatusDelivered, "1")))
		assert.Empty(t, r.Status("1", ""))
		time.Sleep(time.Minute - 1)
		updates := r.Sent("1")
		require.Equal(t, []string{"1:>read"}, steps(updates))
		assert.Equal(t, early.Timestamp, updates[0].Timestamp)
		assert.Equal(t, StatusRead, r.Status("1", ""))
		assert.Empty(t, r.held.claim("1"), "returned once")
		time.Sleep(time.Nanosecond)
		assert.Empty(t, r.Sent("2"), "held for a minute and no longer")
		assert.Empty(t, r.Sent(""))
	})
}

func TestRecipientsOfAGroupAreFollowedOneByOne(t *testing.T) {
	var r Receipts
	r.Sent("1")
	from := func(status MessageStatus, who JID) *ReceiptEvent {
		e := receipt(status, "1")
		e.Chat, e.Recipient = EventChat{JID: "120363000000000001@g.us"}, who
		return e
	}
	assert.Equal(t, []string{"1:>read"}, steps(r.Observe(from(StatusRead, "5511900000001:7@s.whatsapp.net"))))
	assert.Equal(t, []string{"1:>delivered"}, steps(r.Observe(from(StatusDelivered, "5511900000002@s.whatsapp.net"))))
	assert.Empty(t, r.Observe(from(StatusDelivered, "5511900000001@s.whatsapp.net")))
	assert.Equal(t, StatusRead, r.Status("1", "5511900000001"))
	assert.Equal(t, StatusDelivered, r.Status("1", "5511900000002"))
	assert.Empty(t, r.Status("1", "5511900000003"))
}

// Receipts of a large group may all come before the reply of the send.
func TestReceiptsOfALargeGroupAreAllHeld(t *testing.T) {
	const members = 1024
	var r Receipts
	for _, status := range []MessageStatus{StatusDelivered, StatusRead} {
		for n := range members {
			e := receipt(status, "1")
			e.Chat, e.Recipient = EventChat{JID: "120363000000000001@g.us"}, JID(fmt.Sprintf("55119000%05d@s.whatsapp.net", n))
			for range 3 { // each is delivered more than once
				assert.Empty(t, r.Observe(e))
			}
		}
	}
	updates := r.Sent("1")
	assert.Len(t, updates, 2*members)
	for n := range members {
		assert.Equal(t, StatusRead, r.Status("1", JID(fmt.Sprintf("55119000%05d", n))))
	}
	assert.Empty(t, r.Sent("1"))
}

// BenchmarkReceiptsHeld measures a receipt of a message that is not known yet,
// with as many of the same message held.
func BenchmarkReceiptsHeld(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("held=%d", n), func(b *testing.B) {
			r := Receipts{MaxMessages: n}
			receipts := make([]*ReceiptEvent, 2*n)
			for i := range receipts {
				receipts[i] = receipt(StatusRead, "1")
				receipts[i].Recipient = person(i).asPhone(0)
				r.Observe(receipts[i])
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				r.Observe(receipts[i])
				i = (i + 1) % len(receipts)
			}
		})
	}
}

func TestPhoneAndLIDOfAPrivateChatAreOneRecipient(t *testing.T) {
	var r Receipts
	r.Sent("1")
	r.Observe(receipt(StatusRead, "1"))
	late := receipt(StatusDelivered, "1")
	late.Recipient = "123456789012345@lid"
	assert.Empty(t, r.Observe(late))
}

func TestMemoryOfReceiptsIsBounded(t *testing.T) {
	r := Receipts{MaxMessages: 10}
	for i := range 200 {
		id := fmt.Sprint(i)
		r.Sent(id)
		r.Observe(receipt(StatusRead, id))
		for who := range 5 {
			early := receipt(StatusDelivered, "unknown", "unknown "+id)
			early.Recipient = JID(fmt.Sprintf("55119000%05d@s.whatsapp.net", 5*i+who))
			r.Observe(early)
		}
	}
	assert.LessOrEqual(t, len(r.sent.young)+len(r.sent.old), 20)
	assert.LessOrEqual(t, len(r.progress.young)+len(r.progress.old), 20)
	held := 0
	for _, g := range []heldGeneration{r.held.young, r.held.old} {
		kept := 0
		for _, receipts := range g.of {
			kept += len(receipts)
		}
		assert.Len(t, g.has, kept)
		held += kept
	}
	assert.GreaterOrEqual(t, held, 10)
	assert.LessOrEqual(t, held, 20)
	assert.Equal(t, StatusRead, r.Status("195", ""), "the latest are kept")
	assert.Empty(t, r.Status("150", ""))
}

func TestReceiptsAreSafeForConcurrentUse(t *testing.T) {
	var r Receipts
	var wg sync.WaitGroup
	moved := make(chan ReceiptUpdate, 1000)
	for worker := range 4 {
		wg.Go(func() {
			for i := range 100 {
				id := fmt.Sprint(i)
				var updates []ReceiptUpdate
				if worker%2 == 0 {
					updates = r.Sent(id)
				} else {
					updates = r.Observe(receipt(StatusDelivered, id))
				}
				for _, u := range updates {
					moved <- u
				}
			}
		})
	}
	wg.Wait()
	assert.Len(t, moved, 100, "each message is delivered exactly once")
}

func TestRankOfReceipts(t *testing.T) {
	assert.Less(t, StatusDelivered.Rank(), StatusRead.Rank())
	assert.Less(t, StatusRead.Rank(), StatusPlayed.Rank())
	for _, s := range []MessageStatus{"", StatusSender, StatusReadSelf, StatusPlayedSelf, StatusRetry, StatusInactive, StatusServerError, "new"} {
		assert.Zero(t, s.Rank(), s)
		assert.False(t, s.Supersedes(StatusDelivered), s)
		assert.True(t, StatusDelivered.Supersedes(s), s)
	}
	assert.False(t, StatusRead.Supersedes(StatusRead))
}
