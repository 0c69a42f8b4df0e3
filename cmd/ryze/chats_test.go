package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

func TestChatsAreListedByKind(t *testing.T) {
	s := newShell(t)
	s.inst.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "hello"})
	group := s.inst.AddGroup("Crew", "5511987654321")
	out := s.ok("chats", "demo")
	assert.Contains(t, out, "KIND")
	assert.Regexp(t, `contact +5511987654321@s.whatsapp.net +Ana`, out)
	assert.Regexp(t, `group +`+group.JID()+` +Crew`, out)
	groups := objects(t, s.ok("chats", "demo", "--kind", "group", "--json"))
	assert.Equal(t, []map[string]any{{"kind": "group", "jid": group.JID(), "name": "Crew"}}, groups)
	assert.Equal(t, exitUsage, s.run("chats", "demo", "--kind", "people").code)
}

func TestAKindThatCannotBeListedDoesNotHideTheOthers(t *testing.T) {
	s := newShell(t)
	s.inst.AddGroup("Crew", "5511987654321")
	s.srv.Fault("newsletter.list", ryzetest.Fault{Status: 501, Message: "not here"})
	r := s.run("chats", "demo")
	assert.Equal(t, exitPartly, r.code)
	assert.Contains(t, r.out, "Crew")
	assert.Contains(t, r.err, "the channels cannot be listed")
}

func TestHistoryIsReadFromTopToBottom(t *testing.T) {
	s := newShell(t)
	var ids []string
	for _, text := range []string{"one", "two\nlines", hostile} {
		ids = append(ids, s.inst.Receive(ryzetest.Incoming{From: "5511987654321", Text: text}))
		s.srv.Advance(time.Minute)
	}
	s.ok("send", "demo", "5511987654321", "answer")
	out := s.ok("history", "demo", "5511987654321")
	assert.Equal(t, out, clean(out))
	rows := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, rows, 5, out)
	assert.Contains(t, rows[1], ids[0]+"  5511987654321  text  one")
	assert.Contains(t, rows[2], "two ⏎ lines")
	assert.Regexp(t, `me +text +answer$`, rows[4])

	last := objects(t, s.ok("history", "demo", "5511987654321", "-n", "2", "--json"))
	require.Len(t, last, 2)
	assert.Equal(t, ids[2], last[0]["id"])
	assert.Equal(t, strings.ToValidUTF8(hostile, "\ufffd"), last[0]["text"])
	assert.Equal(t, "answer", last[1]["text"])
	assert.Equal(t, true, last[1]["fromMe"])
	assert.Empty(t, s.ok("history", "demo", "5511900000000"))
	assert.Equal(t, exitUsage, s.run("history", "demo", "5511987654321", "--since", "yesterday").code)
}

func TestHistorySaysWhatHasNoText(t *testing.T) {
	s := newShell(t)
	const who = "5511987654321"
	for _, in := range []ryzetest.Incoming{
		{Answer: &ryzetest.Answer{ID: "yes"}}, {Answer: &ryzetest.Answer{Kind: ryzetest.AnswerList, ID: "cake"}},
		{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerCarousel, ID: "cake"}}, {Answer: &ryzetest.Answer{Kind: ryzetest.AnswerForm, ID: "x"}},
		{Text: "\u200b\u2060\ufe0f"},
	} {
		in.From = who
		s.inst.Receive(in)
	}
	s.in = strings.NewReader(`{"version":1,"kind":"pix","content":{"merchantName":"Shop","key":"pix@shop.example","keyType":"EMAIL"}}`)
	require.Zero(t, s.run("send", "demo", who, "--json").code)
	rows := strings.Split(strings.TrimSpace(s.ok("history", "demo", who)), "\n")[1:]
	for k, want := range []string{"[tapped a button]", "[picked a row of a list]", "[tapped a button]", "[a form, or what was filled in]", "[nothing that can be seen]", "[a PIX payment]"} {
		assert.True(t, strings.HasSuffix(rows[k], want), rows[k])
	}
	for _, m := range objects(t, s.ok("history", "demo", who, "--json")) {
		text, _ := m["text"].(string)
		assert.NotContains(t, text, "[", "a program gets texts only")
	}
}

func TestMomentsAreTimesOrDurations(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "24h": now.Add(-24 * time.Hour), "2026-01-30T10:00:00Z": time.Date(2026, 1, 30, 10, 0, 0, 0, time.UTC),
		"2026-01-30": time.Date(2026, 1, 30, 0, 0, 0, 0, time.Local), "2026-01-30 10:20": time.Date(2026, 1, 30, 10, 20, 0, 0, time.Local),
	} {
		got, err := moment("--since", text, now)
		require.NoError(t, err, text)
		assert.True(t, want.Equal(got), "%s: %s", text, got)
	}
}

// picture makes a message with a file.
func (s *shell) picture(size int) (id string) {
	return s.inst.Receive(ryzetest.Incoming{From: "5511987654321", Media: &ryzetest.File{Kind: "image", MIME: "image/jpeg", Data: []byte(strings.Repeat("x", size))}})
}

func TestDownloadSavesTheFile(t *testing.T) {
	s := newShell(t)
	id := s.picture(1000)
	path := filepath.Join(s.dir, "photo.jpg")
	assert.Equal(t, "Saved "+path+" (image/jpeg, 1000 bytes).\n", s.ok("download", "demo", id, "--file", path))
	saved, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, strings.Repeat("x", 1000), string(saved))

	r := s.run("download", "demo", id, "--file", path)
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.err, "--force replaces it")
	v := object(t, s.ok("download", "demo", id, "--file", path, "--force", "--json"))
	assert.Equal(t, map[string]any{"file": path, "mime": "image/jpeg", "size": 1000.0}, v)
	assert.Equal(t, strings.Repeat("x", 1000), s.ok("download", "demo", id, "--file", "-"))

	t.Chdir(t.TempDir())
	assert.Equal(t, "Saved "+id+".jpg (image/jpeg, 1000 bytes).\n", s.ok("download", "demo", id))
	assert.Equal(t, exitUsage, s.run("download", "demo", id).code, "it is there already")
}

func TestAFailedDownloadLeavesNothingBehind(t *testing.T) {
	s := newShell(t)
	id := s.picture(1000)
	dir := t.TempDir()
	t.Chdir(dir)
	s.srv.Fault("chat.message.media_base64", ryzetest.Fault{Body: `{"success":true,"data":{"base64":"AAAA`})
	assert.NotZero(t, s.run("download", "demo", id, "--file", "photo.jpg").code)
	big := s.picture(2 << 20)
	assert.NotZero(t, s.run("download", "demo", big, "--limit", "1").code)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestADownloadShowsHowFarItHasCome(t *testing.T) {
	s := newShell(t)
	s.term = terminal{err: true}
	id := s.picture(1 << 20)
	r := s.run("download", "demo", id, "--file", filepath.Join(s.dir, "x"))
	require.Zero(t, r.code, r.err)
	assert.Contains(t, r.err, "saving "+id)
}
