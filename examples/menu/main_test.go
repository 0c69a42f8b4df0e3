package main

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// In virtual time and in memory; a goroutine left behind fails the test.
func TestMenuLeadsFromATextToAnOrder(t *testing.T) {
	for _, layout := range []ryzetest.Layout{ryzetest.LayoutLive, ryzetest.LayoutDocumented} {
		t.Run(string(layout), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service, err := demo.Simulate(demo.Config{Simulator: []ryzetest.Option{ryzetest.InMemory(), ryzetest.WithLayout(layout)}})
				require.NoError(t, err)
				defer func() { require.NoError(t, service.Close()) }()

				var out strings.Builder
				require.NoError(t, run(t.Context(), service, &out))
				for _, line := range []string{
					`Ana writes "Hi".`, `Ana taps "hours".`, `Ana taps "order".`, `Ana taps "funghi".`, `Ana taps "address".`,
					"Rua das Flores 12", "Ana taps on an old menu.",
				} {
					assert.Contains(t, out.String(), line)
				}
				assert.Equal(t, 1, strings.Count(out.String(), "An order: funghi."))
				assert.NotContains(t, out.String(), service.Phone.Token())

				var kinds, texts []string
				for _, m := range service.Phone.Sent() {
					kinds = append(kinds, m.Kind)
					texts = append(texts, m.Text)
				}
				assert.Equal(t, []string{"buttons", "text", "list", "interactive", "text", "buttons"}, kinds)
				assert.Equal(t, []string{
					"Welcome! What can we do for you?", "From six to midnight.", "Which one?", "Where to?",
					"Thank you! Your funghi is on its way.", "That menu is closed. Here is a new one:",
				}, texts)
				assert.Empty(t, service.Simulator.Violations())
			})
		})
	}
}

func TestTapsAreToldFromTextsAndOldMenus(t *testing.T) {
	now := &visit{token: "now"}
	tap := func(kind ryze.SelectionKind, id string) *ryze.MessageEvent {
		return &ryze.MessageEvent{Selection: &ryze.Selection{Kind: kind, ID: id}}
	}
	for _, test := range []struct {
		name    string
		visit   *visit
		message *ryze.MessageEvent
		choice  string
		tapped  bool
	}{
		{"a button", now, tap(ryze.SelectionButton, "now:order"), "order", true},
		{"a button of an old menu", now, tap(ryze.SelectionButton, "old:order"), "", true},
		{"a button without a visit", nil, tap(ryze.SelectionButton, "old:order"), "", true},
		{"a row by its id", now, tap(ryze.SelectionList, "now:funghi"), "funghi", true},
		{"a row by its name", now, tap(ryze.SelectionList, "Funghi"), "funghi", true},
		{"an id as a text", now, &ryze.MessageEvent{Text: "now:hours"}, "hours", true},
		{"a text", now, &ryze.MessageEvent{Text: "Funghi: one"}, "", false},
		{"a text without a visit", nil, &ryze.MessageEvent{Text: "Hi"}, "", false},
	} {
		choice, tapped := test.visit.choice(test.message)
		assert.Equal(t, test.choice, choice, test.name)
		assert.Equal(t, test.tapped, tapped, test.name)
	}
}
