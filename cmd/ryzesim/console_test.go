package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// typist types on a console in memory.
type typist struct {
	t   *testing.T
	srv *ryzetest.Server
	c   *console
}

func atConsole(t *testing.T, fn func(t *testing.T, at typist)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv, err := ryzetest.Start(ryzetest.InMemory())
		require.NoError(t, err)
		defer srv.Close()
		srv.AddInstance("demo").Pair("5511900000001")
		fn(t, typist{t, srv, newConsole(srv, &lines{w: &screen{}}, func() {})})
	})
}

func (at typist) ok(line string) string {
	at.t.Helper()
	answer, err := at.c.execute(line)
	require.NoError(at.t, err, line)
	return answer
}

func (at typist) bad(line, want string) {
	at.t.Helper()
	answer, err := at.c.execute(line)
	require.ErrorContains(at.t, err, want, "%s: %s", line, answer)
}

// writes types a line that makes a message of "demo", and returns that.
func (at typist) writes(line string) ryzetest.Message {
	at.t.Helper()
	answer := at.ok(line)
	m, there := at.srv.Instance("demo").Message(strings.TrimPrefix(answer, "message "))
	require.True(at.t, there, "%s: %s", line, answer)
	return m
}

func TestConsoleWritesEveryKind(t *testing.T) {
	file := filepath.Join(t.TempDir(), "photo.png")
	require.NoError(t, os.WriteFile(file, picture(door), 0o600))
	atConsole(t, func(t *testing.T, at typist) {
		m := at.writes(`receive demo -name "Ana Lima" -mention 5511900000001 -forwarded 5511987654321 I'm "at home"`)
		assert.Equal(t, "I'm at home", m.Text)
		assert.Equal(t, []string{"5511900000001"}, m.Mentions)
		assert.True(t, m.Forwarded)
		assert.Contains(t, at.ok("chats demo"), `"Ana Lima" unread=1`)
		assert.Equal(t, "two\nlines  and blanks", at.writes(`receive demo 5511987654321 "two\nlines  and blanks"`).Text)
		assert.Equal(t, "-me is no option here", at.writes(`receive demo 5511987654321 -me is no option here`).Text)

		m = at.writes(`media demo 5511987654321 ` + file + ` the door`)
		assert.Equal(t, "image", m.Kind)
		assert.Equal(t, "photo.png", m.Media.FileName)
		assert.Equal(t, "the door", m.Text)
		assert.Equal(t, "document", at.writes(`media demo -kind document 5511987654321 `+file).Kind)
		m = at.writes(`voice demo 5511987654321 ` + file + ` 7`)
		assert.True(t, m.Media.Voice)
		assert.Equal(t, 7, m.Media.Duration)
		assert.InDelta(t, -46.6, at.writes(`location demo 5511987654321 -23.5 -46.6 The shop`).Location.Longitude, 0.001)
		m = at.writes(`card demo 5511987654321 "+55 (11) 98888-7777" Bob Lee`)
		assert.Equal(t, "5511988887777", m.Card.Phone)
		assert.Equal(t, []string{"a b", "c"}, at.writes(`poll demo 5511987654321 "Which one?" "a b" c`).Poll.Options)

		first := at.writes(`receive demo 5511987654321 first`)
		mine := at.writes(`type demo 5511987654321 what I say`)
		assert.True(t, mine.FromMe)
		assert.Equal(t, mine.ID, at.writes(`reply demo 5511987654321 last yes`).ReplyTo)
		assert.Equal(t, first.ID, at.writes(`receive demo -reply `+first.ID[12:]+` 5511987654321 that`).ReplyTo)
		assert.Equal(t, &ryzetest.Reaction{Emoji: "❤️", MessageID: mine.ID}, at.writes(`react demo 5511987654321 last ❤️`).Reaction)
		assert.Empty(t, at.writes(`react demo 5511987654321 last`).Reaction.Emoji)
		assert.True(t, at.writes(`react demo -me 5511987654321 last 👍`).FromMe)
		at.ok(`edit demo 5511987654321 ` + first.ID + ` changed`)
		m, _ = at.srv.Instance("demo").Message(first.ID)
		assert.Equal(t, "changed", m.Text)
		at.ok(`revoke demo -me 5511987654321 last`)
		m, _ = at.srv.Instance("demo").Message(mine.ID)
		assert.True(t, m.Revoked)

		assert.Equal(t, ryzetest.Answer{Kind: ryzetest.AnswerButton, ID: "two words"}, *at.writes(`tap demo 5511987654321 two words`).Answer)
		assert.Equal(t, ryzetest.AnswerText, at.writes(`tap demo -as-text 5511987654321 yes`).Answer.Kind)
		assert.Equal(t, ryzetest.Answer{Kind: ryzetest.AnswerCarousel, ID: "x", Card: 0}, *at.writes(`tap demo -card 0 5511987654321 x`).Answer)
		assert.Equal(t, ryzetest.Answer{Kind: ryzetest.AnswerList, ID: "r1", Title: "Row one"}, *at.writes(`pick demo 5511987654321 r1 Row one`).Answer)
		assert.Equal(t, map[string]any{"name": "Ana Lima", "q": "a=b"}, at.writes(`fill demo 5511987654321 token "name=Ana Lima" q=a=b`).Answer.Values)
		assert.WithinDuration(t, time.Now().Add(-time.Hour), at.writes(`receive demo -ago 1h 5511987654321 old`).Timestamp, 0)

		at.bad(`reply demo 5511987654321 3EB0FFFFFFFF no`, `"messages demo" lists them`)
		at.bad(`edit demo 5511987654321 3EB0 x`, "no message")
		at.bad(`media demo 5511987654321 /no/such/file`, "no such file")
		at.bad(`location demo 5511987654321 95 0`, "no latitude")
		at.bad(`location demo 5511987654321 0 x`, "no longitude")
		at.bad(`voice demo 5511987654321 `+file+` soon`, "no number of seconds")
		at.bad(`fill demo 5511987654321 token name`, "KEY=VALUE")
		at.bad(`receive demo -ago yesterday 5511987654321 x`, "ago")
		at.bad(`receive demo -colour red 5511987654321 x`, "colour")
		at.bad(`receive demo Ana hello`, "neither a number nor a JID")
	})
}

func TestConsolePlaysGroupsAndPeople(t *testing.T) {
	atConsole(t, func(t *testing.T, at typist) {
		at.ok(`contact 5511987654321 -lid 778899 -about "At work" Ana Lima`)
		jid := strings.TrimPrefix(at.ok(`group "The team" demo 5511987654321 5511955554444`), "group ")
		assert.Contains(t, at.ok(`members `+jid), "The team\n  5511900000001@s.whatsapp.net owner\n  5511987654321@s.whatsapp.net")
		m := at.writes(`receive demo -group ` + jid + ` 5511987654321 hello all`)
		assert.Equal(t, jid, m.Chat)
		assert.Equal(t, "5511987654321@s.whatsapp.net", m.Sender)
		assert.Equal(t, jid, at.writes(`type demo `+jid+` hello`).Chat)
		assert.Equal(t, jid, at.writes(`media demo -me -group `+jid+` 5511987654321 console_test.go`).Chat)
		at.ok(`promote ` + jid + ` 5511987654321`)
		assert.Contains(t, at.ok(`members `+jid), "5511987654321@s.whatsapp.net admin")
		at.ok(`demote ` + jid + ` 5511987654321`)
		assert.Equal(t, "The team has 4 members", at.ok(`join `+jid+` 5511933332222`))
		assert.Equal(t, "The team has 3 members", at.ok(`leave `+strings.TrimSuffix(jid, "@g.us")+` 5511955554444`))
		at.bad(`receive demo -group `+jid+` 5511955554444 still here?`, "not in the group")
		at.ok(`ask ` + jid + ` 5511955554444`)
		at.ok(`rename ` + jid + ` The whole team`)
		assert.Contains(t, at.ok("chats demo"), `"The whole team"`)
		at.bad(`join 123 5511933332222`, `no group "123"`)

		m = at.writes(`receive demo -lid 5511987654321 secretly`)
		assert.Equal(t, m.ID, at.writes(`reply demo -me 778899@lid last I see`).ReplyTo, "a LID is the same person")
		at.ok(`unreachable 15551234567`)
		at.ok(`unaddable 5511955554444`)
		at.bad(`contact 551 -lid x@y Ana`, "a LID is digits")
		at.bad(`contact x@y Ana`, "no number")
		at.bad(`unreachable`, "wrong arguments")
		at.ok(`new other`)
		at.bad(`group G other`, `"pair other"`)
	})
}

func TestConsolePlaysPollsReceiptsAndHistory(t *testing.T) {
	atConsole(t, func(t *testing.T, at typist) {
		i := at.srv.Instance("demo")
		at.ok("receipts demo none")
		at.writes(`poll demo -me 5511987654321 "Which one?" a b`)
		assert.Contains(t, at.ok(`vote demo 5511987654321 last b`), "vote 3EB0")
		at.ok(`vote demo 5511987654321 last`)
		at.bad(`vote demo 5511987654321 last c`, "takes 1 of")
		at.bad(`vote demo 5511987654321 3EB0 c`, "no message")

		m := at.writes(`type demo 5511987654321 x`)
		time.Sleep(time.Hour)
		assert.Contains(t, at.ok("messages demo 1"), "sent")
		at.ok(`receipt demo read ` + m.ID[10:])
		m, _ = i.Message(m.ID)
		assert.Equal(t, "read", m.Status)
		at.ok("receipts demo 2s 1m")
		m = at.writes(`type demo 5511987654321 y`)
		at.ok("advance 2s")
		m, _ = i.Message(m.ID)
		assert.Equal(t, "delivered", m.Status)
		at.bad("receipts demo soon", "no duration")
		at.bad("receipts demo 1s 1s 1s 1s", "more than three")

		assert.Equal(t, "demo holds 1 old messages", at.ok(`history demo 48h 5511987654321 what was`))
		assert.Equal(t, "demo holds 2 old messages", at.ok(`history demo 47h me 5511987654321 what I said`))
		at.bad("history demo long 5511987654321 x", "no duration")
		at.bad("history demo 1h me 5511987654321", "wrong arguments")
		at.ok("history demo clear")
		assert.Equal(t, "demo holds 1 old messages", at.ok(`history demo 48h 5511987654321 what was`))
	})
}

func TestConsolePlaysInstancesAndTrouble(t *testing.T) {
	atConsole(t, func(t *testing.T, at typist) {
		assert.Equal(t, "other is disconnected", at.ok("new other"))
		at.bad("new other", "already")
		assert.Contains(t, at.ok("instances"), "demo is connected with the number 5511900000001, 0 streams\nother is disconnected")
		at.bad("code other", "shows no code")
		assert.Equal(t, "other is connected with the number 5511922223333", at.ok("pair other +55 11 92222-3333"))
		for line, want := range map[string]string{"ban demo": "banned", "disconnect demo": "disconnected", "reconnect demo": "connected", "logout demo": "loggedout", "fail-pairing demo": "disconnected"} {
			at.ok("pair demo")
			assert.Equal(t, "demo is "+want, at.ok(line))
		}
		at.ok("drop")
		at.ok("drop other")
		at.ok("drop 1001")
		at.ok("drop other 1012")
		at.bad("drop other 77", "no close code")
		at.bad("drop nobody", `no instance "nobody"`)
		at.ok("refuse demo 2 not now")
		at.ok("eat 5")
		at.ok("eat demo 5")
		at.bad("eat all", "no number of requests")
		at.ok("restart")
		at.ok("freeze on")
		at.ok("freeze off")
		at.bad("freeze", "wrong arguments")
		at.ok("degrade db too slow")
		at.ok("degrade db")
		at.ok("skew 5s -5s")
		at.ok("skew")
		at.bad("skew soon", "soon")
		at.bad("advance -1s", "cannot go back")
		assert.Equal(t, "There are none.", at.ok("deliveries"))
		assert.Equal(t, "There are none.", at.ok("dead-letters"))
		assert.Equal(t, "demo has placed no calls", at.ok("calls demo"))
		assert.Equal(t, "Nobody sees anything.", at.ok("typing demo"))

		for _, what := range []string{"429", "throttled", "503", "proxy", "die", "accept-then-die", "slow", "half", "silent", "accept-then-silent"} {
			at.ok("fault messages.text " + what)
			at.ok(`fault "POST /api/message/text/:instance" ` + what + " 2 3s")
			at.ok("fault any " + what + " 1ms")
		}
		at.bad("fault messages.tex 503", `did you mean "messages.text"?`)
		at.bad("fault any dye", `did you mean "die"?`)
		at.bad("fault any 200", "unknown fault")
		at.bad("fault any 503 often", "neither a number of times nor a delay")
		at.ok("faults clear")
		at.bad("faults", `see "help faults"`)
	})
}

func TestConsoleFaultsAreThoseThatItNames(t *testing.T) {
	for name, applied := range map[string]bool{
		"429": false, "throttled": false, "503": false, "proxy": false, "die": false, "silent": false,
		"slow": true, "accept-then-die": true, "accept-then-silent": true, "half": true,
	} {
		f, ok := faultNamed(name)
		require.True(t, ok, name)
		assert.Equal(t, applied, f.Applies(), name)
		assert.Contains(t, faultDetail, strings.Replace(name, "503", "STATUS", 1))
	}
	assert.Len(t, faultNames, 10)
}

func TestConsoleHelpKnowsEveryCommand(t *testing.T) {
	all, err := help(nil)
	require.NoError(t, err)
	names := map[string]bool{}
	for _, v := range verbs() {
		assert.False(t, names[v.name], "%s is there once", v.name)
		names[v.name] = true
		one, err := help([]string{v.name})
		require.NoError(t, err)
		assert.Contains(t, one, v.line())
		assert.Contains(t, all, v.line()+" ")
		assert.NotContains(t, v.summary, "\n")
		assert.NotContains(t, one+all, "\t")
		for _, mentioned := range regexp.MustCompile(`"help ([a-z-]+)"`).FindAllStringSubmatch(one, -1) {
			_, err := find(mentioned[1])
			assert.NoError(t, err)
		}
	}
	_, err = help([]string{"reeceive"})
	require.ErrorContains(t, err, `did you mean "receive"?`)
	assert.Empty(t, meant("nonsense", []string{"receive", "pair"}), "a wild guess helps nobody")
	_, err = help([]string{"a", "b"})
	require.Error(t, err)
	same, err := help([]string{"help"})
	require.NoError(t, err)
	assert.Equal(t, all, same)
}

func TestConsoleErrorsNameTheNearest(t *testing.T) {
	atConsole(t, func(t *testing.T, at typist) {
		for typed, meant := range map[string]string{"reeceive": "receive", "rec": "receive", "tapp": "tap", "Pair": "pair", "hlep": "help", "messagse": "messages", "unreach": "unreachable"} {
			at.bad(typed+" demo", `did you mean "`+meant+`"?`)
		}
		at.bad("pair dmeo", `no instance "dmeo"; did you mean "demo"?`)
		for _, v := range verbs() {
			if v.args != "" && !strings.HasPrefix(v.args, "[") {
				at.bad(v.name, v.line())
			}
		}
		at.bad(`receive demo 5511987654321 "open`, "not closed")
	})
}

func TestConsoleCutsLinesIntoWords(t *testing.T) {
	for line, want := range map[string][]string{
		"": nil, " \t ": nil, "a  b\tc": {"a", "b", "c"}, `"a b" c`: {"a b", "c"}, `'a "b"' c`: {`a "b"`, "c"}, `I'm here`: {"I'm", "here"},
		`"a\"b\\c\n\d"`: {"a\"b\\c\n\\d"}, `""`: {""}, `a "" b`: {"a", "", "b"}, `'a\n'`: {`a\n`}, `a"b c"`: {`a"b`, `c"`}, `"a"b"`: {`a"b`}, "olá é": {"olá", "é"},
	} {
		got, err := splitLine(line)
		require.NoError(t, err, line)
		assert.Equal(t, want, got, line)
	}
	for _, line := range []string{`"`, `'`, `a "b`, `"a\"`, `'a`} {
		_, err := splitLine(line)
		assert.Error(t, err, line)
	}
}

func TestConsolePrintsPlainLines(t *testing.T) {
	srv, err := ryzetest.Start(ryzetest.InMemory())
	require.NoError(t, err)
	defer srv.Close()
	srv.AddInstance("demo").Pair("")
	srv.Instance("demo").Receive(ryzetest.Incoming{From: "1", Name: "a\tb\x1b[2J", Text: "one\ntwo\t\x1b[31m\u202e"})
	var out screen
	touched := 0
	c := newConsole(srv, &lines{w: &out}, func() { touched++ })
	c.read(strings.NewReader("messages demo\nchats demo\n\nnonsense\n" + strings.Repeat("x", 70000) + "\n"))
	for _, unwanted := range []string{"\t", "\x1b", "\u202e"} {
		assert.NotContains(t, out.String(), unwanted)
	}
	assert.Equal(t, 4, bytes.Count([]byte(out.String()), []byte("\n")))
	assert.Equal(t, 2, touched)
}
