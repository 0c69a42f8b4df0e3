package main

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestSendTextsAndContents(t *testing.T) {
	s := newShell(t)
	out := s.ok("send", "demo", "+55 (11) 98765-4321", "Hello! <b>\n2nd", "--delay", "1s")
	sent := s.inst.Sent()[0]
	assert.Equal(t, "Hello! <b>\n2nd", sent.Text)
	assert.Equal(t, "Sent to "+sent.Chat+": "+sent.ID+"\n", out)
	assert.Equal(t, source, sent.Source)

	s.in = strings.NewReader("from standard input\n")
	s.ok("send", "demo", "5511987654321", "-", "--reply-to", sent.ID)
	assert.Equal(t, "from standard input", s.inst.Sent()[1].Text)
	assert.Equal(t, sent.ID, s.inst.Sent()[1].ReplyTo)

	stored, err := ryze.MarshalContent(ryze.Poll{Question: "Tea?", Options: []string{"yes", "no"}})
	require.NoError(t, err)
	s.in = strings.NewReader(string(stored))
	answer := object(t, s.ok("send", "demo", "5511987654321", "--json"))
	poll := s.inst.Sent()[2]
	assert.Equal(t, "Tea?", poll.Poll.Question)
	assert.Equal(t, poll.ID, answer["id"])
	assert.Equal(t, "5511987654321@s.whatsapp.net", answer["chat"])
	assert.Equal(t, "sent", object(t, s.ok("send", "demo", "5511987654321", "x", "-o", "json"))["status"])
}

func TestASendWithoutATextSaysSo(t *testing.T) {
	s := newShell(t)
	for own, all := range map[string][]string{"": {"demo 5511987654321", "demo +5511987654321", "demo 120363000000000001@g.us"}, "demo": {"5511987654321", "demo 5511987654321"}} {
		s.vars[envInstance] = own
		for _, args := range all {
			r := s.run(append([]string{"send"}, strings.Fields(args)...)...)
			assert.Equal(t, exitUsage, r.code)
			assert.Contains(t, r.err, "there is no text", args)
		}
	}
	s.vars[envInstance] = "demo"
	s.ok("send", "5511987654321", "5511987654322")
	assert.Equal(t, "5511987654322", s.inst.Sent()[0].Text)
	assert.NotContains(t, s.run("send", "nobody", "hello").err, "there is no text")
}

func TestSendAFile(t *testing.T) {
	s := newShell(t)
	path := s.file("report.txt", "a report", 0o600)
	s.ok("send", "demo", "5511987654321", "--file", path, "--caption", "As promised", "--file-name", "r.txt")
	sent := s.inst.Sent()[0]
	assert.Equal(t, "document", sent.Kind)
	assert.Equal(t, "As promised", sent.Text)
	assert.Equal(t, "a report", string(sent.Media.Bytes))
	assert.Equal(t, "r.txt", sent.Media.FileName)
}

func TestAFileShowsHowFarItHasCome(t *testing.T) {
	s := newShell(t)
	s.term = terminal{err: true}
	path := s.file("big.bin", strings.Repeat("x", 1<<20), 0o600)
	r := s.run("send", "demo", "5511987654321", "--file", path)
	require.Zero(t, r.code, r.err)
	assert.Contains(t, r.err, "sending big.bin")
	assert.NotContains(t, r.out, "100%")
	assert.Equal(t, int64(1<<20), s.inst.Sent()[0].Media.Size)

	s.term = terminal{}
	assert.Empty(t, s.run("send", "demo", "5511987654321", "--file", path).err, "nothing is shown to a script")
}

func TestAFileThatMeetsTheRateLimitIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		s.srv.Fault("messages.media", ryzetest.RateLimited())
		path := s.file("report.txt", "a report", 0o600)
		r := s.run("send", "demo", "5511987654321", "--file", path)
		require.Zero(t, r.code, r.err)
		assert.Contains(t, r.err, "The quota is used up: waiting for about")
		assert.Equal(t, "a report", string(s.inst.Sent()[0].Media.Bytes))
		s.srv.Close()
	})
}

func TestAMessageWhoseReplyWasLostIsLookedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		s.srv.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
		r := s.run("send", "demo", "5511987654321", "one", "-o", "json")
		assert.Zero(t, r.code, r.err)
		assert.Contains(t, r.err, "may have been sent")
		answer := object(t, r.out)
		assert.Equal(t, s.inst.Sent()[0].ID, answer["id"])
		assert.Equal(t, true, answer["found"])
		s.srv.Close()
	})
}

func TestAMessageThatIsNotThereIsCertainInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		s.srv.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterRead, Times: 2})
		r := s.run("send", "demo", "5511987654321", "two", "--look", "4m")
		assert.Equal(t, exitFailed, r.code)
		assert.Contains(t, r.err, "the message was not sent")
		assert.Contains(t, r.err, "it may be sent again")

		r = s.run("send", "demo", "5511987654321", "three")
		assert.Equal(t, exitUnknown, r.code)
		assert.Contains(t, r.err, "ryze history demo 5511987654321")
		assert.Empty(t, r.out)
		assert.Equal(t, 2, s.srv.Count("messages.text"), "nothing was sent again")
		s.srv.Close()
	})
}

func TestAnInterruptedSendSaysWhatIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		s.srv.Fault("messages.text", ryzetest.Fault{Delay: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		var out, err output
		start := time.Now()
		assert.Equal(t, exitUnknown, s.start(ctx, &out, &err, "send", "demo", "5511987654321", "hello"))
		assert.Equal(t, time.Second, time.Since(start))
		assert.Contains(t, err.String(), "interrupted: the message may have been sent")
		assert.Contains(t, err.String(), "ryze history demo 5511987654321")
		s.srv.Close()
	})
}

func TestARefusedSendIsCertain(t *testing.T) {
	s := newShell(t)
	s.inst.Disconnect()
	r := s.run("send", "demo", "5511987654321", "hello")
	assert.Equal(t, exitFailed, r.code)
	assert.Contains(t, r.err, "not connected")
	assert.Contains(t, r.err, "ryze connect")
	assert.Equal(t, 1, s.srv.Count("messages.text"))
}
