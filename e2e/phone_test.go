package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// address is that of the page, at an instance and a chat.
func address(s *ryzetest.Server, parts ...string) string {
	for k, part := range parts {
		parts[k] = url.PathEscape(part)
	}
	return s.URL + "/_sim/#/" + strings.Join(parts, "/")
}

const anaJID = ana + "@s.whatsapp.net"

// menu builds the example of that name once for all tests.
func menu(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "menu")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./menu")
	build.Dir = filepath.Join("..", "examples")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return program
}

// The whole way of somebody who tries a bot: scan, write as a customer, tap, pick,
// fill in. The bot is a program of its own, which knows nothing of a simulator.
func TestAPersonPairsAndOrdersFromABot(t *testing.T) {
	t.Parallel()
	sim := simulator(t)
	program := menu(t)
	phone := sim.AddInstance("demo")
	client, err := ryze.New(ryze.WithBaseURL(sim.URL))
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	_, err = client.Instance("demo", phone.Token()).Connect(t.Context(), ryze.ConnectParams{})
	require.NoError(t, err)

	p := open(t, address(sim))
	p.see(".instance", "scan the code")
	p.until(`document.querySelector(".qr")?.naturalWidth > 0`)
	p.click(".code-box button", "Scan")
	p.see(".instance .pill", "connected")
	assert.Equal(t, ryzetest.StateConnected, phone.State())

	ctx, stop := context.WithCancel(t.Context())
	bot := exec.CommandContext(ctx, program)
	bot.Env = append(bot.Environ(), "RYZE_BASE_URL="+sim.URL, "RYZE_INSTANCE=demo", "RYZE_INSTANCE_TOKEN="+phone.Token())
	var told strings.Builder
	bot.Stdout, bot.Stderr = &told, &told
	require.NoError(t, bot.Start())
	defer func() {
		stop()
		_ = bot.Wait()
		if t.Failed() {
			t.Log(told.String())
		}
	}()
	p.see(".instance small", "1 stream")

	p.see(".chats-pane .empty", "No chats yet")
	p.accessible("the page without chats")
	p.click(".chats-pane .empty button", "Write as a customer")
	p.see("dialog", "New customer")
	p.accessible("the dialog of a new customer")
	p.click("dialog button", "Start the chat")
	p.see(".talk-empty", "No messages yet")
	p.write(".field-text", "Hi")
	p.press(kb.Enter)
	p.see(".theirs .bubble", "Hi")

	p.see(".mine .bubble", "Welcome")
	p.click(".tap", "Order a pizza")
	p.see(".theirs .bubble", "Order a pizza")
	p.click(".tap", "Pizzas")
	p.click("dialog .list-row", "Funghi")
	p.click(".tap", "My address")
	p.write("dialog textarea", "Rua das Flores, 12")
	p.click("dialog button", "Send")
	p.see(".mine .bubble", "Your funghi is on its way")
	p.until(`[...document.querySelectorAll(".mine .ticks.read")].length >= 4`)

	// Both are told of it: the log, and the quota.
	p.see(".log-row", "POST")
	p.see(".log-row", "message.exchange")
	p.see(".meter", "of 100 left")
	p.gone(".log-row.bad", "")
}

// It is not parallel: a browser films only what is in front.
func TestEveryKindOfMessageIsDrawn(t *testing.T) {
	film := filmed(t)
	s := play(t, film)
	p := open(t, address(s.sim, "shop", anaJID))
	p.see(".mine .bubble", "Thank you!")
	for _, kind := range []string{
		"text", "image", "video", "audio", "document", "sticker", "location", "cards", "poll", "buttons", "list", "carousel", "form", "pix", "event", "answer", "revoked",
	} {
		p.until(`document.querySelector(".bubble.is-` + kind + `")`)
	}
	p.shot("phone.png")

	// Text is text, whatever it says, and asks nobody.
	p.see(".bubble.is-text", "<script>alert(1)</script> <img src=x onerror=alert(2)>")
	p.until(`!document.querySelector(".bubble script, .bubble img[src=x]")`)
	p.until(`[...document.querySelectorAll(".bubble a")].every(a => !a.textContent.includes("\u202e"))`) // it would be read backwards
	p.until(`[...document.querySelectorAll(".bubble a[target]")].every(a => a.rel.includes("noopener") && a.href.startsWith("https://"))`)
	p.until(`[...document.querySelectorAll("a.file")].some(a => a.download === 'a"b<b>.html')`)
	for _, tag := range []string{"strong", "em", "s", "code", "blockquote", "ul li", "ol li", "pre"} {
		p.until(`document.querySelector(".bubble .text ` + tag + `")`)
	}
	p.see(".day", "Yesterday")
	p.see(".day", "Today")
	p.see(".quote", "Hi, what is on the menu?")
	p.see(".foot", "edited")
	p.see(".note", "Forwarded")
	p.see(".reactions", "❤️")
	p.see(".presence", "shop is typing")
	p.see(".bubble.is-pix", "96.50")
	p.see(".missing", "https://cdn.example.com/films/oven.mp4")
	p.until(`[...document.querySelectorAll(".option-count")].map(e => e.textContent).join() === "1,2,0"`)
	p.until(`document.querySelector(".bubble.is-image .picture.here img").naturalWidth === 720`)

	// What has a sound or moves does so.
	p.click(".voice.spoken .play", "Play")
	p.see(".voice.spoken .play", "Pause")
	p.until(`Number(document.querySelector(".voice.spoken .seek").value) > 20`)
	if film != nil {
		p.do(`(v => { v.muted = true; return v.play(); })(document.querySelector("video"))`)
		p.until(`document.querySelector("video").currentTime > 0.1`)
	}

	// The log says what was wrong, and what to write instead.
	p.see(".violation", "unknown field “text”")
	p.see(".violation", "Did you mean “message”?")
	p.click(".log-row.bad .log-open", "message/text")
	p.see(".details .code", `"We bring another one."`)
	p.do(`document.querySelector(".details summary").click()`)
	assert.NotContains(t, eval[string](p, `document.querySelector(".log").textContent`), s.phone.Token())

	p.accessible("every kind")
	p.size(360, 900, 1)
	p.accessible("every kind, 360 px")
	p.size(1440, 900, 1)
	p.dark(true)
	p.accessible("every kind, dark")
	p.do(`document.querySelector(".log-scroll").scrollTop = 0`)
	p.shot("phone-dark.png")
	p.dark(false)
	p.click(".chat", "Family lunch")
	p.see(".bubble .author", "Carla Mendes")
	p.see(".bubble .mention", "@Ana Souza")
	p.see(".note", "Mentions everyone")
	p.accessible("a group")
	p.click(".chat", "Status")
	p.see(".status-card", "Open today")
	p.until(`getComputedStyle(document.querySelector(".status-card")).backgroundColor === "rgb(122, 62, 157)"`)
	p.accessible("a status")
	p.click(".chat", "Bruno")
	p.see(".talk-head", "LID 184467440737095")
	p.see(".who", "number hidden")
}

// filmed is a second of film, made by the browser itself.
func filmed(t *testing.T) []byte {
	t.Helper()
	ctx, cancel := chromedp.NewContext(chromium(t), chromedp.WithNewBrowserContext())
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`new Promise((done, fail) => {
		const c = Object.assign(document.createElement("canvas"), {width: 320, height: 200});
		const g = c.getContext("2d");
		const timer = setInterval(() => {
			const x = performance.now() / 5 % 320;
			g.fillStyle = "#2b211d"; g.fillRect(0, 0, 320, 200);
			g.fillStyle = "#e8762c"; g.beginPath(); g.arc(x, 120, 46, 0, 7); g.fill();
			g.fillStyle = "#f9c440"; g.beginPath(); g.arc(x, 128, 26, 0, 7); g.fill();
		}, 40);
		const r = new MediaRecorder(c.captureStream(25), {mimeType: "video/webm;codecs=vp8"});
		const parts = [];
		r.ondataavailable = e => parts.push(e.data);
		r.onerror = fail;
		r.onstop = async () => {
			clearInterval(timer);
			const reader = new FileReader();
			reader.onload = () => done(reader.result.split(",")[1]);
			reader.readAsDataURL(new Blob(parts));
		};
		r.start();
		setTimeout(() => r.stop(), 1200);
	})`, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	film, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	return film
}

func TestPeopleWriteReactEditAndDelete(t *testing.T) {
	t.Parallel()
	s := play(t, nil)
	p := open(t, address(s.sim, "shop", s.group))
	message := func(text string) func(m ryzetest.Message) bool {
		return func(m ryzetest.Message) bool { return m.Text == text && m.Chat == s.group }
	}
	held := func(match func(ryzetest.Message) bool) (found ryzetest.Message) {
		require.Eventually(t, func() bool {
			for _, m := range s.phone.Messages() {
				if match(m) {
					found = m
					return true
				}
			}
			return false
		}, patience, 20*time.Millisecond)
		return found
	}
	// A member writes, in reply to another, with a mention.
	p.click(".who", "Write as")
	p.click(".menu button", "Carla Mendes")
	p.click(".row.theirs .more", "Bruno Carvalho")
	p.accessible("the menu of a message")
	p.click(".menu button", "Reply as Carla Mendes")
	p.write(".field-text", "Good, @Ana Souza!")
	p.press(kb.Enter)
	m := held(message("Good, @" + ana + "!"))
	assert.Equal(t, carla+"@s.whatsapp.net", m.Sender)
	assert.NotEmpty(t, m.ReplyTo)
	assert.Len(t, m.Mentions, 1)
	p.see(".bubble", "Good, @Ana Souza!")

	// She reacts, changes her words, and takes them back.
	act := func(choice string) {
		p.click(".row.theirs .more", "")
		p.click(".menu button", choice)
	}
	// Without a mouse: along the messages, reply to one, and out again.
	p.do(`[...document.querySelectorAll(".row.theirs .bubble")].pop().focus()`)
	p.press(kb.ArrowUp)
	p.until(`document.activeElement.textContent.includes("The shop does.")`)
	p.press("r")
	p.see(".banner", "The shop does.")
	p.press(kb.Escape)
	p.gone(".banner", "")
	act("React with 👍")
	p.see(".reactions", "👍")
	act("Edit as Carla Mendes")
	p.write(".field-text", "Very good")
	p.press(kb.Enter)
	p.see(".bubble", "Very good")
	assert.True(t, held(message("Very good")).Edited)
	act("Delete for everyone")
	p.click("dialog button", "Delete")
	p.see(".bubble.is-revoked", "This message was deleted")

	// The owner writes on the phone itself.
	p.click(".who", "Write as")
	p.click(".menu button", "shop, on the phone itself")
	p.write(".field-text", "*I* bring the wine")
	p.press(kb.Enter)
	p.see(".mine .bubble", "I bring the wine")
	assert.True(t, held(message("*I* bring the wine")).FromMe)

	// Files, places, people, polls and voices.
	p.click(".chat", "Ana Souza")
	attach := func(choice string) {
		p.click(".compose-line button", "Attach")
		p.click(".menu button", choice)
	}
	kinds := map[string]string{"Sample picture": "image", "Sample sticker": "sticker", "Sample document": "document"}
	for _, choice := range []string{"Sample picture", "Sample sticker", "Sample document"} {
		attach(choice)
		held(func(m ryzetest.Message) bool {
			return !m.FromMe && m.Kind == kinds[choice] && m.Timestamp.After(time.Now().Add(-time.Minute))
		})
	}
	for _, choice := range []string{"Location", "Contact"} {
		attach(choice)
		p.click("dialog button", "Send")
		p.gone("dialog", "")
	}
	attach("Poll")
	p.write("dialog input", "Red or white?")
	p.write("dialog textarea", "Red\nWhite")
	p.click("dialog button", "Send")
	p.see(".theirs .poll", "Red or white?")
	p.click(".compose-line button", "Voice note")
	p.click(".menu button", "Record")
	p.see(".recording", "0:01")
	p.click(".recording button", "Send")
	voice := held(func(m ryzetest.Message) bool {
		return !m.FromMe && m.Media != nil && m.Media.Voice && m.Media.MIME != "audio/wav"
	})
	assert.NotEmpty(t, voice.Media.Bytes)
	// The note has moved the chat to its end, so that the click finds what it aims at.
	p.until(`[...document.querySelectorAll(".theirs")].at(-1).querySelector(".spoken")`)
	// A vote is one of the poll that the bot has sent.
	p.click(".mine .option", "21:00")
	p.until(`[...document.querySelectorAll(".mine .option-count")].map(e => e.textContent).join() === "1,1,1"`)
	p.accessible("the chat afterwards")
}

func TestEverySwitchBreaksWhatItSays(t *testing.T) {
	t.Parallel()
	s := play(t, nil)
	p := open(t, address(s.sim, "shop", anaJID))
	p.see(".meter", "shop")
	p.see(".log-row", "message")
	send := func(patience time.Duration) error {
		client, err := ryze.New(ryze.WithBaseURL(s.sim.URL), ryze.WithRetry(ryze.RetryPolicy{MaxAttempts: 1, MaxRateLimitWait: -1}))
		require.NoError(t, err)
		defer func() { _ = client.Close() }()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, err = client.Instance("shop", s.phone.Token()).Messages.Send(ctx, carla, ryze.Text("Is it better now?"))
		return err
	}
	for _, what := range []string{"429", "throttled", "503", "proxy", "accept-then-die", "die"} {
		p.click(`[data-fault="`+what+`"]`, "")
		p.see(".faults li", "× 1")
		assert.Error(t, send(patience), what)
		p.gone(".faults li", "")
	}
	p.click(`[data-fault="no-answer"]`, "No answer")
	p.see(".faults li", "No answer × 1")
	assert.ErrorIs(t, send(time.Second), context.DeadlineExceeded)
	p.gone(".faults li", "")
	p.see(".fault", "Broken on purpose")
	assert.NoError(t, send(patience))
	p.click(`[data-fault="slow"]`, "")
	p.see(".faults li", "Slow")
	p.click(".faults button", "Take back")
	p.gone(".faults li", "")

	before := s.sim.Now()
	p.click(".top .fact", "")
	p.click(".menu button", "Advance by 1 hour")
	require.Eventually(t, func() bool { return s.sim.Now().Sub(before) >= time.Hour }, patience, 20*time.Millisecond)
	p.click(".meter button", "quota of shop")
	p.click(".menu button", "Use up all")
	p.see(".meter.none", "0 of 100 left")
	assert.ErrorIs(t, send(patience), ryze.ErrRateLimited)

	p.do(`(button => {
		window.moved = 0;
		const look = changes => changes.forEach(c => { window.moved += [...c.removedNodes].includes(button); });
		new MutationObserver(look).observe(button.parentElement, {childList: true});
	})(document.querySelector('[data-act="logout"]'))`)
	p.click(".switch", "Drop streams")
	p.click(".switch", "Disconnect")
	p.see(".instance.on .pill", "disconnected")
	p.click(".switch", "Reconnect")
	p.gone(".instance.on .pill", "disconnected")
	p.see(".instance.on .pill", "connected")
	p.see(".switch", "Disconnect")
	assert.Zero(t, eval[int](p, "window.moved"), "a button that is pressed keeps its click")
	p.click(".switch", "Log out")
	p.click("dialog button.danger", "Log out")
	p.see(".instance.on .pill", "logged out")
	p.click(".instance.on button", "Pair a phone")
	p.see(".instance.on .pill", "connected")
	p.click(".switch", "Ban")
	p.click("dialog button.danger", "Ban")
	p.see(".instance.on .pill", "banned")
	assert.Equal(t, ryzetest.StateBanned, s.phone.State())
	p.accessible("a banned instance")

	// The hour has ended the attempt of the other one.
	client, err := ryze.New(ryze.WithBaseURL(s.sim.URL))
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	_, err = client.Instance("support", s.sim.Instance("support").Token()).Connect(t.Context(), ryze.ConnectParams{})
	require.NoError(t, err)
	p.click(".instance", "support")
	p.see(".instance.on .pill", "scan the code")
	p.click(".switch", "Fail the pairing")
	p.see(".instance.on .pill", "disconnected")
	assert.Equal(t, ryzetest.StateDisconnected, s.sim.Instance("support").State())
	p.until(`document.querySelector("[data-act=fail-pairing]").disabled`)
}

func TestThePageSpeaksPortuguese(t *testing.T) {
	t.Parallel()
	s := play(t, nil)
	p := open(t, address(s.sim, "shop", anaJID), in("pt-BR"))
	p.see(".day", "Hoje")
	p.see(".instance .pill", "conectada")
	p.see(".who", "Escrever como")
	p.until(`document.documentElement.lang === "pt-BR"`)
	p.see(".bubble.is-pix", "96,50")
	p.accessible("the page in Portuguese")
	p.shot("phone-pt.png")
	missing := eval[[]string](p, `Promise.all([import("/_sim/text_en.js"), import("/_sim/text_pt.js")]).then(([{en}, {pt}]) =>
		[...Object.keys(en).filter(k => !(k in pt)), ...Object.keys(pt).filter(k => !(k in en))])`)
	assert.Empty(t, missing, "texts that one of the languages lacks")
}

func TestAPhoneShowsOnePaneAtATime(t *testing.T) {
	t.Parallel()
	s := play(t, nil)
	p := open(t, address(s.sim, "shop"))
	p.size(360, 740, 2)
	p.see(".chat", "Ana Souza")
	p.gone(".middle", "")
	p.click(".chat", "Ana Souza")
	p.see(".mine .bubble", "Thank you!")
	p.gone(".left", "")
	p.until(`document.documentElement.scrollWidth <= 360 && document.querySelector(".app").getBoundingClientRect().height === innerHeight`)
	p.until(`document.querySelector(".composer").getBoundingClientRect().bottom === innerHeight`)
	// The field was measured while it was hidden, and must be as high as its text now.
	p.until(`(f => f.clientHeight > 30 && f.clientHeight >= f.scrollHeight)(document.querySelector(".field-text"))`)
	p.shot("phone-narrow.png")
	p.click(".talk-head button", "Activity")
	p.see(".log-row", "message")
	p.click(".side button", "Back")
	p.see(".mine .bubble", "Thank you!")
	p.click(".talk-head button", "Back to the chats")
	p.see(".chat", "Ana Souza")
	p.do("history.back()")
	p.see(".mine .bubble", "Thank you!")
}

// Where there is room for both, the newest chat is open from the start.
func TestThePageBeginsWithTheNewestChat(t *testing.T) {
	t.Parallel()
	sim := simulator(t)
	phone := sim.AddInstance("shop")
	phone.Pair(own)
	for text, from := range map[string]string{"\u200b\u2060\u3164": bruno, "hello": carla} {
		phone.Receive(ryzetest.Incoming{From: from, Name: "<*>", Text: text, At: time.Now().Add(-time.Hour)})
	}
	phone.Receive(ryzetest.Incoming{From: ana, Name: "<b>Ana", Text: "the newest"})
	p := open(t, address(sim))
	p.see(".bubble", "the newest")
	p.see(".chat.on .avatar", "B")
	p.until(`[...document.querySelectorAll(".chat:not(.on) .avatar")].every(e => e.querySelector("svg") && !e.textContent)`)
	// What nobody can see is told.
	p.see(".chat-last", "Nothing that can be seen")
	p.click(".chat", "Nothing that can be seen")
	p.see(".bubble", "Nothing that can be seen")

	narrow := open(t, address(sim), func(p *tab) { p.size(360, 740, 2) })
	narrow.see(".chat", "<b>Ana")
	narrow.gone(".middle", "")
	assert.NotContains(t, eval[string](narrow, "location.hash"), "@")
}

func TestALostLineIsToldAndMends(t *testing.T) {
	t.Parallel()
	sim, err := ryzetest.Start(ryzetest.WithControl(""))
	require.NoError(t, err)
	sim.AddInstance("shop").Pair(own)
	p := open(t, address(sim, "shop"))
	p.lossy = true
	p.see(".instance .pill", "connected")
	at, err := url.Parse(sim.URL)
	require.NoError(t, err)
	sim.Close()
	p.see(".lost-bar", "The simulator does not answer.")
	p.accessible("a lost line")

	// Another one at the same address: nothing of the old one may stay.
	again, err := ryzetest.Start(ryzetest.WithControl(""), ryzetest.WithListen(at.Host))
	require.NoError(t, err)
	defer again.Close()
	p.gone(".lost-bar", "")
	p.see(".talk-empty", "No number yet")
	p.gone(".instance", "shop")
	again.AddInstance("bakery")
	p.see(".instance", "bakery")
}

func TestTenThousandMessagesScroll(t *testing.T) {
	t.Parallel()
	sim := simulator(t)
	phone := sim.AddInstance("shop")
	phone.Pair(own)
	write(phone, 10000)
	p := open(t, address(sim, "shop", anaJID))
	// Whoever scrolls up at the moment at which the messages are drawn is not pulled down.
	p.do(`new Promise(done => {
		const look = () => {
			if (!document.querySelector(".row[data-id]")) return void setTimeout(look);
			document.querySelector(".talk-scroll").scrollTop = 300;
			done();
		};
		look();
	})`)
	p.until(firstRow + ` < 9900`)
	// Up through some pages: what is in the document stays bounded, and what is
	// being read does not jump.
	for range 5 {
		before := eval[int](p, firstRow)
		jumped := eval[float64](p, `(async () => {
			const scroller = document.querySelector(".talk-scroll");
			scroller.scrollTop = 300;
			const row = document.elementsFromPoint(scroller.getBoundingClientRect().left + 100, innerHeight / 2).find(e => e.closest(".row")).closest(".row");
			const at = row.getBoundingClientRect().top;
			const first = `+firstRow+`;
			for (let k = 0; k < 400 && `+firstRow+` === first; k++) await new Promise(done => setTimeout(done, 20));
			return row.getBoundingClientRect().top - at;
		})()`)
		assert.InDelta(t, 0, jumped, 1)
		p.until(fmt.Sprintf(`%s < %d`, firstRow, before))
		assert.LessOrEqual(t, eval[int](p, `document.querySelectorAll(".row").length`), 260)
	}
	// With the Home key, too, from which no way leads further up.
	for range 3 {
		before := eval[int](p, firstRow)
		p.do(`document.querySelector(".talk-scroll").scrollTop = 0`)
		p.until(fmt.Sprintf(`%s < %d`, firstRow, before))
	}
	phone.Receive(ryzetest.Incoming{From: ana, Text: "the newest"})
	p.see(".to-end", "1 new message")
	p.gone(".bubble", "the newest")
	p.click(".to-end", "")
	p.see(".bubble", "the newest")
	p.gone(".to-end", "")
}

// firstRow is the number of the first message in the document, which write has numbered.
const firstRow = `Number(document.querySelector(".row[data-id] .text")?.textContent.split(" ")[1])`

// write has Ana write so many messages, "message 0" first.
func write(phone *ryzetest.Instance, many int) {
	start := time.Now().Add(-time.Duration(many) * time.Second)
	for k := range many {
		phone.Receive(ryzetest.Incoming{From: ana, Name: "Ana Souza", Text: fmt.Sprintf("message %d", k), At: start.Add(time.Duration(k) * time.Second)})
	}
}

// Reactions to what is not known are no rows: a page full of them fills no screen, and
// what cannot be scrolled asks for nothing. The same goes for a very high screen.
func TestAPageThatDoesNotFillTheScreenAsksForMore(t *testing.T) {
	t.Parallel()
	sim := simulator(t)
	phone := sim.AddInstance("shop")
	phone.Pair(own)
	write(phone, 250)
	for range 130 {
		phone.Receive(ryzetest.Incoming{From: ana, Reaction: &ryzetest.Reaction{Emoji: "👍", MessageID: "GONE"}})
	}
	p := open(t, address(sim, "shop", anaJID))
	const atEnd = `(s => s.scrollHeight > s.clientHeight && s.scrollHeight - s.scrollTop - s.clientHeight < 40)(document.querySelector(".talk-scroll"))`
	p.see(".bubble", "message 249")
	p.until(atEnd)
	p.size(2160, 7680, 1)
	p.until(firstRow + ` < 160 && ` + atEnd)
}

// A line that was lost for a moment, or a simulator that was started anew with its
// state, leaves whoever reads old messages where they are.
func TestALostLineDoesNotMoveWhatIsRead(t *testing.T) {
	t.Parallel()
	sim := simulator(t)
	phone := sim.AddInstance("shop")
	phone.Pair(own)
	write(phone, 600)
	p := open(t, address(sim, "shop", anaJID))
	p.lossy = true
	p.see(".bubble", "message 599")
	for end := time.Now().Add(patience); eval[int](p, firstRow) > 300 && time.Now().Before(end); {
		p.do(`document.querySelector(".talk-scroll").scrollTop = 0`)
	}
	seen := eval[string](p, middleRow)
	require.NotEmpty(t, seen)
	at, err := url.Parse(sim.URL)
	require.NoError(t, err)
	var state bytes.Buffer
	require.NoError(t, sim.Save(&state))
	sim.Close()
	p.see(".lost-bar", "The simulator does not answer.")
	again, err := ryzetest.Start(ryzetest.WithControl(""), ryzetest.WithListen(at.Host), ryzetest.WithState(&state))
	require.NoError(t, err)
	defer again.Close()
	again.Instance("shop").Receive(ryzetest.Incoming{From: ana, Text: "while you were away"})
	p.gone(".lost-bar", "")
	p.see(".to-end", "1 new message")
	assert.Equal(t, seen, eval[string](p, middleRow))
	p.click(".to-end", "")
	p.see(".bubble", "while you were away")
}

// middleRow is what the row in the middle of the conversation says.
const middleRow = `(() => {
	const box = document.querySelector(".talk-scroll").getBoundingClientRect();
	return document.elementsFromPoint(box.left + box.width / 2, box.top + box.height / 2).map(e => e.closest(".row[data-id]")).find(Boolean)?.textContent || "";
})()`

// Somebody starts afresh while another one writes: what was written so far stays, and
// begins the chat anew.
func TestAResetLeavesWhatSomebodyWrites(t *testing.T) {
	t.Parallel()
	sim := simulator(t)
	phone := sim.AddInstance("shop")
	phone.Pair(own)
	phone.Receive(ryzetest.Incoming{From: ana, Name: "<*> Ana", Text: "before"})
	one, two := open(t, address(sim, "shop", anaJID)), open(t, address(sim, "shop", anaJID))
	one.see(".bubble", "before")
	one.see(".who .avatar", "A")
	one.write(".field-text", "half a sentence")
	two.click(".top button", "Settings")
	two.click(".menu button", "Reset the simulator")
	two.click("dialog button.danger", "Reset the simulator")
	for _, p := range []*tab{one, two} {
		p.see(".talk-empty", "No messages yet")
		p.gone(".bubble", "before")
	}
	one.until(`(f => f.checkVisibility() && f === document.activeElement && f.value === "half a sentence")(document.querySelector(".field-text"))`)
	one.press(", and the rest")
	one.press(kb.Enter)
	for _, p := range []*tab{one, two} {
		p.see(".theirs .bubble", "half a sentence, and the rest")
		p.see(".chat.on", "half a sentence")
	}
}

func TestTwoBrowsersSeeTheSame(t *testing.T) {
	t.Parallel()
	s := play(t, nil)
	one, two := open(t, address(s.sim, "shop", anaJID)), open(t, address(s.sim, "shop", anaJID))
	two.see(".mine .bubble", "Thank you!")
	one.write(".field-text", "From the one")
	one.press(kb.Enter)
	two.see(".theirs .bubble", "From the one")
	two.until(`document.querySelector("[aria-live=polite][role=log]").textContent.includes("From the one")`)
}
