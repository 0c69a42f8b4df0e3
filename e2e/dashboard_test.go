package e2e

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// dashboard builds the example of that name and runs it for a service. It returns the
// address of the page.
func dashboard(t *testing.T, listen, service string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "dashboard")
	examples := filepath.Join("..", "examples")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./dashboard")
	build.Dir = examples
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	command := exec.CommandContext(ctx, program, "-listen", listen)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.Dir, command.Stderr = examples, os.Stderr
	command.Env = append(command.Environ(), "RYZE_BASE_URL="+service)
	told, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() { stop(); _ = command.Wait() })
	for lines := bufio.NewScanner(told); lines.Scan(); {
		if address, ok := strings.CutPrefix(lines.Text(), "Open "); ok {
			return address
		}
	}
	require.FailNow(t, "the dashboard does not serve")
	return ""
}

// The SDK runs in the browser: it lists, and it streams with the token in the address,
// from a service of another origin.
func TestDashboardInTheBrowserShowsWhatIsWritten(t *testing.T) {
	t.Parallel()
	chromium(t)
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "localhost:0")
	require.NoError(t, err)
	listen := free.Addr().String()
	require.NoError(t, free.Close())
	sim := simulator(t, ryzetest.WithAllowedOrigins("http://"+listen))
	account, err := ryze.NewAccountClient(sim.AccountToken, ryze.WithBaseURL(sim.URL))
	require.NoError(t, err)
	defer func() { _ = account.Client().Close() }()
	numbers := map[string]string{"pizzeria": own, "delivery": "5521900000002", "new-number": ""}
	for name, number := range numbers {
		_, err := account.CreateInstance(t.Context(), ryze.CreateInstanceParams{Name: name, WebSocket: &ryze.WebSocketConfig{}})
		require.NoError(t, err)
		if number != "" {
			sim.Instance(name).Pair(number)
		}
	}

	page := dashboard(t, listen, sim.URL)
	p := open(t, page, func(p *tab) { p.also = sim.URL })
	p.see("#enter", "This page is for you alone")
	p.accessible("the form")
	p.write("#token", "nobodys-token")
	p.lossy = true // the browser notes the 401
	p.click("button", "Show")
	p.see("#problem", "nvalid") // the form is there again
	p.write("#token", sim.AccountToken)
	p.click("button", "Show")
	p.see("#counts", "2 of 3 connected")
	p.until(`document.querySelectorAll(".stream.live").length === 3`)

	pizzeria := sim.Instance("pizzeria")
	pizzeria.Receive(ryzetest.Incoming{From: ana, Name: "Ana Souza", Text: "Hi, is the oven hot? <img src=x onerror=alert(1)>"})
	pizzeria.Receive(ryzetest.Incoming{From: bruno, Name: "Bruno Carvalho", Text: "Do you deliver to Pinheiros?"})
	sim.Instance("delivery").Receive(ryzetest.Incoming{From: carla, Name: "Carla Mendes", Text: "Where is my parcel?"})
	_, err = account.Instance("pizzeria").Messages.SendText(t.Context(), ryze.JID(ana), "It is! What may it be?")
	require.NoError(t, err)
	p.see(".chat", "is the oven hot? <img")
	p.see(".chat", "Where is my parcel?")
	p.see(".line.own", "What may it be?")
	p.until(`document.querySelector(".mark.read")`)
	p.accessible("the board")
	p.dark(true)
	p.accessible("the board in the dark")
	if dir := os.Getenv("DASHBOARD_SHOTS"); dir != "" {
		p.picture(filepath.Join(dir, "dashboard-dark.png"))
		p.dark(false)
		p.picture(filepath.Join(dir, "dashboard.png"))
		p.size(390, 844, 2)
		p.picture(filepath.Join(dir, "dashboard-small.png"))
		p.size(1440, 900, 1)
	}

	// A hole is told, an instance that comes is there, and one that goes is not.
	sim.DropWebSockets(0)
	p.see("#notice", "the stream had a hole")
	require.NoError(t, account.DeleteInstance(t.Context(), "delivery"))
	p.gone(".instance", "delivery")
	p.gone(".chat", "parcel")

	held := `document.documentElement.outerHTML + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie + location.href`
	for _, secret := range []string{sim.AccountToken, pizzeria.Token()} {
		assert.NotContains(t, eval[string](p, held), secret)
	}
	p.click("button", "Leave")
	p.see("#enter", "Token of the account")
	p.until(`document.querySelectorAll(".chat, .instance").length === 0`)
	for _, in := range sim.Instances() {
		assert.Zero(t, in.WebSockets(), in.Name())
	}

	// The demonstration's address brings the token, and does not keep it.
	p.run(chromedp.Navigate(page + "?demonstration#token=" + sim.AccountToken))
	p.see("#counts", "1 of 2 connected")
	assert.Equal(t, page, eval[string](p, "location.href"))
	assert.Empty(t, sim.Violations())
}
