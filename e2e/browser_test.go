package e2e

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for something that has to happen: much longer
// than it takes, for machines that have other work.
const patience = 40 * time.Second

// shots, when set to 1, lets the tests write the pictures of the README.
const shots = "PHONE_SHOTS"

//go:embed testdata/axe-core/axe.min.js
var axe string

var browser struct {
	once sync.Once
	ctx  context.Context //nolint:containedctx // chromedp keeps the browser in it
	end  func()
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.end != nil {
		browser.end()
	}
	os.Exit(code)
}

// chromium starts the browser that all tests share, each with a profile of its own.
func chromium(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("Chromium is missing: make deps")
		}
		t.Skip("Chromium is missing: make deps")
	}
	browser.once.Do(func() {
		options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
			chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WSURLReadTimeout(patience),
			chromedp.Flag("lang", "en-US"), chromedp.Flag("accept-lang", "en-US"),
			// A microphone that hums, and nobody who is asked for it.
			chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
			chromedp.Flag("disable-background-timer-throttling", true), chromedp.Flag("disable-renderer-backgrounding", true))
		allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, end := chromedp.NewContext(allocator)
		browser.ctx, browser.end = ctx, func() { end(); endAllocator() } //nolint:fatcontext // once
		browser.err = chromedp.Do(ctx)
	})
	require.NoError(t, browser.err)
	return browser.ctx
}

// tab is a page in the browser. At its end nothing may have gone wrong in it.
type tab struct {
	t      *testing.T
	ctx    context.Context //nolint:containedctx // chromedp keeps the page in it
	origin string

	mu      sync.Mutex
	wrong   []string
	foreign []string
	// lossy: the server goes away in this test, which the browser notes.
	lossy bool
	// also is another origin that the page may talk to.
	also string
}

func open(t *testing.T, address string, options ...func(*tab)) *tab {
	t.Helper()
	parent := chromium(t)
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	at, err := url.Parse(address)
	require.NoError(t, err)
	p := &tab{t: t, ctx: ctx, origin: at.Scheme + "://" + at.Host}
	// The first call of a context must have no end of its own.
	require.NoError(t, chromedp.Listen(ctx, p.watch))
	call(p, log.Enable, cdp.Empty{})
	call(p, network.Enable, network.EnableParams{})
	p.size(1440, 900, 1)
	for _, option := range options {
		option(p)
	}
	p.run(chromedp.Navigate(address))
	t.Cleanup(p.check)
	return p
}

func (p *tab) watch(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.wrong = append(p.wrong, fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			p.wrong = append(p.wrong, fmt.Sprintf("console: %+v", *e.Args[0]))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Source == log.EntrySourceSecurity {
			p.wrong = append(p.wrong, fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL))
		}
	case *cdppage.EventJavascriptDialogOpening:
		p.wrong = append(p.wrong, "a dialog: "+e.Message)
	case *network.EventRequestWillBeSent:
		u := e.Request.URL
		if !strings.HasPrefix(u, p.origin+"/") && (p.also == "" || !strings.HasPrefix(u, p.also+"/")) && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "blob:") && u != "about:blank" {
			p.foreign = append(p.foreign, u)
		}
	}
}

func (p *tab) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	assert.Empty(p.t, p.foreign, "requests to other origins")
	if !p.lossy {
		assert.Empty(p.t, p.wrong, "what the browser complains about")
	}
}

func (p *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	require.NoError(p.t, chromedp.Do(ctx, actions...))
}

// call sends a command of the browser's protocol.
func call[P, R any](p *tab, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	reply, err := chromedp.Call(ctx, command, params)
	require.NoError(p.t, err)
	return reply
}

// eval runs some JavaScript, and waits when it is a promise.
func eval[T any](p *tab, js string) T {
	p.t.Helper()
	return evalWithin[T](p, patience, js)
}

func evalWithin[T any](p *tab, limit time.Duration, js string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise, func(e *runtime.EvaluateParams) { e.UserGesture = new(true) }))
	require.NoError(p.t, err, js[:min(len(js), 200)])
	return value
}

func (p *tab) do(js string) {
	p.t.Helper()
	eval[chromedp.Void](p, js)
}

// until waits for an expression to be true.
func (p *tab) until(js string) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if eval[bool](p, "Boolean("+js+")") {
			return
		}
	}
	p.picture(filepath.Join(os.TempDir(), "phone-failed-"+p.t.Name()+".png"))
	require.FailNow(p.t, "it does not come true: "+js)
}

// find is an expression for the visible elements that a selector matches and whose
// text or label contains some text.
func find(selector, text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%s)].filter(e => e.checkVisibility() && (e.textContent + ' ' + (e.getAttribute('aria-label') || '')).includes(%s))`,
		quote(selector), quote(text))
}

func quote(text string) string {
	b, _ := json.Marshal(text) //nolint:errchkjson // a text always can be
	return string(b)
}

func (p *tab) see(selector, text string) {
	p.t.Helper()
	p.until(find(selector, text) + ".length > 0")
}

func (p *tab) gone(selector, text string) {
	p.t.Helper()
	p.until(find(selector, text) + ".length === 0")
}

// click moves the mouse to the last element that is found, when it stands still and
// nothing lies over it, and clicks.
func (p *tab) click(selector, text string) {
	p.t.Helper()
	var at, before []float64
	for end := time.Now().Add(patience); (at == nil || !slices.Equal(at, before)) && time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		before = at
		at = eval[[]float64](p, `(() => {
			const el = `+find(selector, text)+`.filter(e => !e.disabled).pop();
			const moves = a => a.playState === "running" && a.effect.getTiming().iterations !== Infinity && a.effect.target.contains(el);
			if (!el || document.getAnimations().some(moves)) return null;
			el.scrollIntoView({block: "nearest", inline: "nearest"});
			const box = el.getBoundingClientRect();
			const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
			const hit = document.elementFromPoint(x, y);
			return hit && el.contains(hit) ? [x, y] : null;
		})()`)
	}
	if at == nil {
		p.picture(filepath.Join(os.TempDir(), "phone-failed-"+p.t.Name()+".png"))
		require.FailNow(p.t, "nothing to click", "%s %s", selector, text)
	}
	p.run(chromedp.MouseClickXY(at[0], at[1]))
}

// write types into the field that a selector finds, in place of what is there.
func (p *tab) write(selector, text string) {
	p.t.Helper()
	p.run(chromedp.WaitVisible(selector), chromedp.Focus(selector))
	p.do(fmt.Sprintf("document.querySelector(%s).select()", quote(selector)))
	p.run(chromedp.KeyEvent(text))
}

func (p *tab) press(key string) {
	p.t.Helper()
	p.run(chromedp.KeyEvent(key))
}

func (p *tab) size(width, height int64, scale float64) {
	p.t.Helper()
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: scale, Mobile: width < 600,
	})
}

func (p *tab) dark(on bool) {
	p.t.Helper()
	value := map[bool]string{true: "dark", false: "light"}[on]
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}}})
}

// in lets the browser ask for a language.
func in(language string) func(*tab) {
	return func(p *tab) {
		call(p, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
			UserAgent: eval[string](p, "navigator.userAgent"), AcceptLanguage: language,
		})
	}
}

// accessible has axe-core look at the page as it is.
func (p *tab) accessible(what string) {
	p.t.Helper()
	if !eval[bool](p, "typeof axe === 'object'") {
		p.do(axe + "; 0")
	}
	// It looks at every element: on a machine that has other work this takes minutes. Half of an animation has half of its contrast.
	found := evalWithin[[]string](p, 6*patience, `Promise.race([new Promise(done => setTimeout(done, 1500)), // what is not drawn does not move on
			Promise.all(document.getAnimations().filter(a => a.effect.getTiming().iterations !== Infinity).map(a => a.finished.catch(() => 0)))])
		.then(() => axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}))
		.then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target.join(' ') + ': ' + (n.failureSummary || '').replace(/\s+/g, ' '))))`)
	assert.Empty(p.t, found, "accessibility of "+what)
}

func (p *tab) picture(path string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(path, png, 0o644))
}

// shot writes a picture of the README, when told so.
func (p *tab) shot(name string) {
	p.t.Helper()
	if os.Getenv(shots) != "1" {
		return
	}
	dir := filepath.Join("..", "docs", "img")
	require.NoError(p.t, os.MkdirAll(dir, 0o755))
	time.Sleep(700 * time.Millisecond) // pictures fade in
	p.picture(filepath.Join(dir, name))
}
