package ryze

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// What is done to a chat is what the other side then knows.
func TestChatsChangeOnTheAccount(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst, ctx := paired(t, sim, client, "a"), t.Context()
		phone := sim.Instance("a")
		phone.Receive(ryzetest.Incoming{From: string(ana), Text: "Hi"})

		require.NoError(t, inst.Chats.Archive(ctx, ana))
		require.NoError(t, inst.Chats.Pin(ctx, ana))
		require.NoError(t, inst.Chats.Favorite(ctx, ana))
		require.NoError(t, inst.Chats.Mute(ctx, ana, Mute8Hours))
		require.NoError(t, inst.Chats.MarkRead(ctx, ana))
		require.NoError(t, inst.Contacts.Block(ctx, ana))
		require.NoError(t, inst.Chats.Typing(ctx, ana, 5*time.Second))
		chat := phone.Chat(string(ana))
		assert.True(t, chat.Archived && chat.Pinned && chat.Favorite && chat.Muted && chat.Blocked)
		assert.Zero(t, chat.Unread)
		assert.WithinDuration(t, sim.Now().Add(8*time.Hour), chat.MutedUntil, time.Minute)
		assert.Equal(t, "typing", chat.Presence)

		require.NoError(t, inst.Chats.Unarchive(ctx, ana))
		require.NoError(t, inst.Chats.Unpin(ctx, ana))
		require.NoError(t, inst.Chats.Unfavorite(ctx, ana))
		require.NoError(t, inst.Chats.Unmute(ctx, ana))
		require.NoError(t, inst.Chats.MarkUnread(ctx, ana))
		require.NoError(t, inst.Contacts.Unblock(ctx, ana))
		require.NoError(t, inst.Chats.Recording(ctx, ana, 0))
		require.NoError(t, inst.Chats.Pause(ctx, ana))
		chat = phone.Chat(string(ana))
		assert.Equal(t, ryzetest.Chat{
			JID: anaFull, MarkedUnread: true, Unread: chat.Unread, Name: chat.Name, LastMessage: chat.LastMessage, LastAt: chat.LastAt,
		}, chat)

		require.NoError(t, inst.Chats.Delete(ctx, ana))
		require.NoError(t, inst.Chats.DeleteWithMedia(ctx, ana))
		assert.Empty(t, sim.Violations())
	})
}

func TestLabelsFromCreationToDeletion(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst, ctx := paired(t, sim, client, "a"), t.Context()
		lead, err := inst.Labels.Create(ctx, "Lead", 5)
		require.NoError(t, err)
		require.NoError(t, inst.Labels.Assign(ctx, ana, lead.ID))
		require.NoError(t, inst.Labels.Assign(ctx, ana, lead.ID))
		assert.Equal(t, []string{lead.ID}, sim.Instance("a").Chat(string(ana)).Labels)

		found, err := inst.Contacts.ByLabel(ctx, LabelFilter{Names: []string{"lead"}})
		require.NoError(t, err)
		assert.Len(t, found.Chats, 1)
		assert.Equal(t, []string{lead.ID}, found.LabelIDs)

		require.NoError(t, inst.Labels.Unassign(ctx, ana, lead.ID))
		require.NoError(t, inst.Labels.Unassign(ctx, ana, lead.ID))
		assert.Empty(t, sim.Instance("a").Chat(string(ana)).Labels)

		require.NoError(t, inst.Labels.Delete(ctx, lead.ID))
		labels, err := inst.Labels.List(ctx)
		require.NoError(t, err)
		assert.Empty(t, labels) // although the service still shows it as deleted
		require.ErrorIs(t, inst.Labels.Assign(ctx, ana, "77"), ErrLabelNotFound)
		assert.Empty(t, sim.Violations())
	})
}

// A lost reply of a removal is not a failure when the removal worked.
func TestRemovalsWhoseReplyWasLost(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst, ctx := paired(t, sim, client, "a"), t.Context()
		id := sim.Instance("a").AddLabel("Lead", 1)
		sim.Fault("chat.tags.delete", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
		require.NoError(t, inst.Labels.Delete(ctx, id))
		require.ErrorIs(t, inst.Labels.Delete(ctx, id), ErrLabelNotFound)
	})
}

func TestContactsByPhoneAndByLID(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst, ctx := paired(t, sim, client, "a"), t.Context()
		sim.AddContact(ryzetest.Contact{Phone: string(ana), LID: string(anaLID), Name: "Ana"})

		phone, err := inst.Contacts.PhoneOf(ctx, anaLID)
		require.NoError(t, err)
		assert.Equal(t, JID(anaFull), phone)
		lid, err := inst.Contacts.LIDOf(ctx, ana)
		require.NoError(t, err)
		assert.Equal(t, anaLID, lid)

		nobody, err := inst.Contacts.Get(ctx, "5521900000000")
		require.NoError(t, err)
		assert.False(t, nobody.Found)
		_, err = inst.Contacts.LIDOf(ctx, "5521900000000")
		require.ErrorIs(t, err, ErrNotFound)

		all, err := inst.Contacts.List(ctx)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, anaLID, all[0].LID)
		assert.Empty(t, sim.Violations())
	})
}

func TestMessagesAfterTheyWereSent(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst, ctx := paired(t, sim, client, "a"), t.Context()
		text, err := inst.Messages.SendText(ctx, ana, "Helo")
		require.NoError(t, err)
		time.Sleep(time.Second)

		status, err := inst.Messages.DeliveryStatus(ctx, text.ID)
		require.NoError(t, err)
		assert.Equal(t, StatusRead, status.Status)
		assert.Equal(t, DirectionOutgoing, status.Direction)

		edited, err := inst.Messages.Edit(ctx, text.ID, "Hello")
		require.NoError(t, err)
		assert.Equal(t, "Helo", edited.OldText)
		stored, err := inst.Messages.Get(ctx, text.ID)
		require.NoError(t, err)
		assert.Equal(t, "Hello", stored.Text)

		copied, err := inst.Messages.Forward(ctx, text.ID, family)
		require.NoError(t, err)
		assert.Equal(t, family, copied.Chat)
		assert.Equal(t, text.ID, copied.OriginalID)

		require.NoError(t, inst.Messages.Pin(ctx, text.ID, PinWeek))
		require.NoError(t, inst.Messages.Unpin(ctx, text.ID))
		require.NoError(t, inst.Messages.Favorite(ctx, text.ID))
		require.NoError(t, inst.Messages.Unfavorite(ctx, text.ID))

		incoming := sim.Instance("a").Receive(ryzetest.Incoming{From: string(ana), Group: string(family), Text: "Me too"})
		require.NoError(t, inst.Messages.MarkRead(ctx, family, incoming, ana))

		poll, err := inst.Messages.Send(ctx, family, Poll{Question: "When?", Options: []string{"9am", "2pm"}})
		require.NoError(t, err)
		sim.Instance("a").Vote(poll.ID, string(ana), "2pm")
		votes, err := inst.Messages.PollVotes(ctx, poll.ID)
		require.NoError(t, err)
		assert.Contains(t, votes.Options, PollOption{"2pm", 1})
		require.Len(t, votes.Votes, 1)
		assert.Equal(t, JID(anaFull), votes.Votes[0].Voter)

		_, err = inst.Messages.Forward(ctx, poll.ID, ana)
		require.ErrorIs(t, err, ErrInvalidArgument) // not ErrOutcomeUnknown: polls cannot be forwarded

		time.Sleep(time.Hour)
		_, err = inst.Messages.Edit(ctx, text.ID, "Too late")
		require.ErrorIs(t, err, ErrNotEditable)
		require.NoError(t, inst.Messages.DeleteForEveryone(ctx, text.ID))
		require.NoError(t, inst.Messages.DeleteForMe(ctx, copied.ID))
		_, err = inst.Messages.Get(ctx, "3EB0")
		require.ErrorIs(t, err, ErrMessageNotFound)
		assert.Empty(t, sim.Violations())
	})
}

func TestMediaOfAMessageComesBackWhole(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		photo := append(bytes.Clone(pngHead), bytes.Repeat([]byte{7, 200, 31}, 100_001)...)
		id := sim.Instance("a").Receive(ryzetest.Incoming{From: string(ana), Media: &ryzetest.File{Data: photo, MIME: "image/png"}})
		var w bytes.Buffer
		got, err := inst.Messages.Download(t.Context(), id, &w)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(photo, w.Bytes()))
		assert.Equal(t, "image/png", got.MIME)
		assert.Equal(t, MediaImage, got.Kind)

		sim.Fault("chat.message.media_base64", ryzetest.Fault{Drop: ryzetest.HalfReply})
		w.Reset()
		_, err = inst.Messages.Download(t.Context(), id, &w)
		var ended *DownloadError
		require.ErrorAs(t, err, &ended)
		assert.Equal(t, int64(w.Len()), ended.Written)
		assert.Less(t, w.Len(), len(photo))
		assert.True(t, bytes.HasPrefix(photo, w.Bytes()))
		assert.Empty(t, sim.Violations())
	})
}

func TestCallsReachThePhone(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst, ctx := paired(t, sim, client, "a"), t.Context()
		ring, err := inst.Calls.Ring(ctx, ana, 0)
		require.NoError(t, err)
		assert.Equal(t, 8*time.Second, ring.Duration)
		audio, err := inst.Calls.PlayAudio(ctx, ana, MediaBytes("notice.mp3", []byte("ID3\x03notice")))
		require.NoError(t, err)
		calls := sim.Instance("a").Calls()
		require.Len(t, calls, 2)
		assert.Equal(t, ring.ID, calls[0].ID)
		assert.Equal(t, audio.ID, calls[1].ID)
		assert.Equal(t, []byte("ID3\x03notice"), calls[1].Audio.Bytes)
		assert.Empty(t, sim.Violations())
	})
}

func TestHistoryOfASimulatedChat(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		for range 120 {
			sim.Instance("a").Receive(ryzetest.Incoming{From: string(ana), Text: "Hi"})
			time.Sleep(300 * time.Millisecond)
		}
		seen := map[string]bool{}
		var last time.Time
		for m, err := range inst.Chats.History(t.Context(), ana, HistoryQuery{PageSize: 13}) {
			require.NoError(t, err)
			assert.False(t, seen[m.ID])
			assert.False(t, m.FromMe)
			assert.True(t, last.IsZero() || !m.Timestamp.After(last))
			seen[m.ID], last = true, m.Timestamp
		}
		assert.Len(t, seen, 120)
		assert.Empty(t, sim.Violations())
	})
}
