package ryze_test

import (
	"bytes"
	"testing"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is done to a chat is what the other side then knows.
func TestChatsChangeOnTheAccount(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst, ctx := paired(t, sim, client, "a"), t.Context()
		phone := sim.Instance("a")
		phone.Receive(ryzetest.Incoming{From: string(Ana), Text: "Hi"})

		require.NoError(t, inst.Chats.Archive(ctx, Ana))
		require.NoError(t, inst.Chats.Pin(ctx, Ana))
		require.NoError(t, inst.Chats.Favorite(ctx, Ana))
		require.NoError(t, inst.Chats.Mute(ctx, Ana, 8*time.Hour))
		require.NoError(t, inst.Chats.MarkRead(ctx, Ana))
		require.NoError(t, inst.Contacts.Block(ctx, Ana))
		require.NoError(t, inst.Chats.Typing(ctx, Ana, 5*time.Second))
		chat := phone.Chat(string(Ana))
		assert.True(t, chat.Archived && chat.Pinned && chat.Favorite && chat.Muted && chat.Blocked)
		assert.Zero(t, chat.Unread)
		assert.WithinDuration(t, sim.Now().Add(8*time.Hour), chat.MutedUntil, time.Minute)
		assert.Equal(t, "typing", chat.Presence)

		require.NoError(t, inst.Chats.Unarchive(ctx, Ana))
		require.NoError(t, inst.Chats.Unpin(ctx, Ana))
		require.NoError(t, inst.Chats.Unfavorite(ctx, Ana))
		require.NoError(t, inst.Chats.Unmute(ctx, Ana))
		require.NoError(t, inst.Chats.MarkUnread(ctx, Ana))
		require.NoError(t, inst.Contacts.Unblock(ctx, Ana))
		require.NoError(t, inst.Chats.Recording(ctx, Ana, 0))
		require.NoError(t, inst.Chats.Pause(ctx, Ana))
		chat = phone.Chat(string(Ana))
		assert.Equal(t, ryzetest.Chat{
			JID: AnaFull, MarkedUnread: true, Unread: chat.Unread, Name: chat.Name, LastMessage: chat.LastMessage, LastAt: chat.LastAt,
		}, chat)

		require.NoError(t, inst.Chats.Delete(ctx, Ana))
		require.NoError(t, inst.Chats.DeleteWithMedia(ctx, Ana))
		assert.Empty(t, sim.Violations())
	})
}

func TestLabelsFromCreationToDeletion(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst, ctx := paired(t, sim, client, "a"), t.Context()
		lead, err := inst.Labels.Create(ctx, "Lead", 5)
		require.NoError(t, err)
		require.NoError(t, inst.Labels.Assign(ctx, Ana, lead.ID))
		require.NoError(t, inst.Labels.Assign(ctx, Ana, lead.ID))
		assert.Equal(t, []string{lead.ID}, sim.Instance("a").Chat(string(Ana)).Labels)

		found, err := inst.Contacts.ByLabel(ctx, LabelFilter{Names: []string{"lead"}})
		require.NoError(t, err)
		assert.Len(t, found.Chats, 1)
		assert.Equal(t, []string{lead.ID}, found.LabelIDs)

		require.NoError(t, inst.Labels.Unassign(ctx, Ana, lead.ID))
		require.NoError(t, inst.Labels.Unassign(ctx, Ana, lead.ID))
		assert.Empty(t, sim.Instance("a").Chat(string(Ana)).Labels)

		require.NoError(t, inst.Labels.Delete(ctx, lead.ID))
		labels, err := inst.Labels.List(ctx)
		require.NoError(t, err)
		assert.Empty(t, labels) // although the service still shows it as deleted
		require.ErrorIs(t, inst.Labels.Assign(ctx, Ana, "77"), ErrLabelNotFound)
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
		sim.AddContact(ryzetest.Contact{Phone: string(Ana), LID: string(AnaLID), Name: "Ana"})

		phone, err := inst.Contacts.PhoneOf(ctx, AnaLID)
		require.NoError(t, err)
		assert.Equal(t, JID(AnaFull), phone)
		lid, err := inst.Contacts.LIDOf(ctx, Ana)
		require.NoError(t, err)
		assert.Equal(t, AnaLID, lid)

		nobody, err := inst.Contacts.Get(ctx, "5521900000000")
		require.NoError(t, err)
		assert.False(t, nobody.Found)
		_, err = inst.Contacts.LIDOf(ctx, "5521900000000")
		require.ErrorIs(t, err, ErrNotFound)

		all, err := inst.Contacts.List(ctx)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, AnaLID, all[0].LID)
		assert.Empty(t, sim.Violations())
	})
}

func TestMessagesAfterTheyWereSent(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst, ctx := paired(t, sim, client, "a"), t.Context()
		text, err := inst.Messages.SendText(ctx, Ana, "Helo")
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

		copied, err := inst.Messages.Forward(ctx, text.ID, Family)
		require.NoError(t, err)
		assert.Equal(t, Family, copied.Chat)
		assert.Equal(t, text.ID, copied.OriginalID)

		require.NoError(t, inst.Messages.Pin(ctx, text.ID, 7*24*time.Hour))
		require.NoError(t, inst.Messages.Unpin(ctx, text.ID))
		require.NoError(t, inst.Messages.Favorite(ctx, text.ID))
		require.NoError(t, inst.Messages.Unfavorite(ctx, text.ID))

		incoming := sim.Instance("a").Receive(ryzetest.Incoming{From: string(Ana), Group: string(Family), Text: "Me too"})
		require.NoError(t, inst.Messages.MarkRead(ctx, Family, incoming, Ana))

		poll, err := inst.Messages.Send(ctx, Family, Poll{Question: "When?", Options: []string{"9am", "2pm"}})
		require.NoError(t, err)
		sim.Instance("a").Vote(poll.ID, string(Ana), "2pm")
		votes, err := inst.Messages.PollVotes(ctx, poll.ID)
		require.NoError(t, err)
		assert.Contains(t, votes.Options, PollOption{"2pm", 1})
		require.Len(t, votes.Votes, 1)
		assert.Equal(t, JID(AnaFull), votes.Votes[0].Voter)

		_, err = inst.Messages.Forward(ctx, poll.ID, Ana)
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
		photo := append(bytes.Clone(PNGHead), bytes.Repeat([]byte{7, 200, 31}, 100_001)...)
		id := sim.Instance("a").Receive(ryzetest.Incoming{From: string(Ana), Media: &ryzetest.File{Data: photo, MIME: "image/png"}})
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
		ring, err := inst.Calls.Ring(ctx, Ana, 0)
		require.NoError(t, err)
		assert.Equal(t, 8*time.Second, ring.Duration)
		audio, err := inst.Calls.PlayAudio(ctx, Ana, MediaBytes("notice.mp3", []byte("ID3\x03notice")))
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
			sim.Instance("a").Receive(ryzetest.Incoming{From: string(Ana), Text: "Hi"})
			time.Sleep(300 * time.Millisecond)
		}
		seen := map[string]bool{}
		var last time.Time
		for m, err := range inst.Chats.History(t.Context(), Ana, HistoryQuery{PageSize: 13}) {
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
