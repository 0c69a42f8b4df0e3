package docs_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// What the page about troubleshooting quotes is what a reader sees: each text is
// found in an error that was really met.
func TestTroubleshootingQuotesRealErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for quote, err := range symptoms(t) {
			assert.ErrorContains(t, err, quote)
			for _, page := range []string{"troubleshooting.md", "pt-BR/troubleshooting.md"} {
				text, err := os.ReadFile(page)
				require.NoError(t, err)
				assert.Contains(t, string(text), "`"+quote+"`", page)
			}
		}
	})
}

// symptoms meets the errors. Each stands under what the page quotes of it.
func symptoms(t *testing.T) map[string]error {
	t.Helper()
	t.Setenv("RYZE_INSTANCE", "")
	sim, line, httpClient := ryzetest.New(t)
	client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithHTTPClient(httpClient), ryze.WithRetry(ryze.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	shop, unpaired := client.Instance(line.Name(), line.Token()), sim.AddInstance("unpaired")
	send := func(name, token string, to ryze.JID, faults ...ryzetest.Fault) error {
		time.Sleep(time.Minute) // a new window of the quota
		sim.Fault("messages.text", faults...)
		defer sim.ClearFaults()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := client.Instance(name, token).Messages.SendText(ctx, to, "Hello")
		return err
	}
	broken := func(f ryzetest.Fault) error { return send(line.Name(), line.Token(), "5511987654321", f) }
	to := func(jid ryze.JID) error { return send(line.Name(), line.Token(), jid) }
	_, noVariable := ryze.InstanceFromEnv()
	_, plain := ryze.New(ryze.WithBaseURL("http://api.example.com"))
	_, taken := client.Account(sim.AccountToken).CreateInstance(t.Context(), ryze.CreateInstanceParams{Name: line.Name()})
	_, noStream := shop.Subscribe(t.Context())
	_, noMedia := shop.Messages.Download(t.Context(), "3EB0C0FFEE", io.Discard)
	elsewhere := ryzetest.Fault{Status: 307, Header: http.Header{"Location": {"https://elsewhere.example/"}}, Empty: true, Gateway: true}
	return map[string]error{
		"RYZE_INSTANCE is not set in the environment":                                      noVariable,
		"has the scheme http, which would send tokens in clear text":                       plain,
		"Invalid token (HTTP 401)":                                                         send(line.Name(), "nonsense", "5511987654321"),
		"Instance token does not match requested instance":                                 send(line.Name(), unpaired.Token(), "5511987654321"),
		"Instance not found (HTTP 404)":                                                    send("Test-Line", sim.AccountToken, "5511987654321"),
		"Instance name already exists (HTTP 409)":                                          taken,
		"Instance is not connected to WhatsApp":                                            send("unpaired", unpaired.Token(), "5511987654321"),
		"Instance has no saved session":                                                    client.Instance("unpaired", unpaired.Token()).Reconnect(t.Context()),
		"has a plus sign; write the digits only, or use PhoneJID":                          to("+55 (11) 98765-4321"),
		"looks like a LID":                                                                 to("123456789012345"),
		"outcome unknown (the message may have been sent: settle it before sending again)": broken(ryzetest.Fault{Drop: ryzetest.DropAfterProcess}),
		"context deadline exceeded":                                                        broken(ryzetest.Fault{Drop: ryzetest.NeverAnswer}),
		"rate limited until":                                                               broken(ryzetest.RateLimited()),
		"the reply is not the service's own":                                               broken(ryzetest.ProxyPage(http.StatusBadGateway)),
		"refused to follow a redirect":                                                     broken(elsewhere),
		"WebSocket is not enabled for this instance":                                       noStream,
		"Message not found or no media available":                                          noMedia,
	}
}
