package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"image/png"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// In virtual time and in memory; a goroutine left behind fails the test.
func TestDemoLivesAndEnds(t *testing.T) {
	for _, portuguese := range []translator{false, true} {
		for _, layout := range []ryzetest.Layout{ryzetest.LayoutLive, ryzetest.LayoutDocumented} {
			t.Run(portuguese.say("en", "pt")+" "+string(layout), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv, err := ryzetest.Start(ryzetest.InMemory(), ryzetest.WithLayout(layout))
					require.NoError(t, err)
					defer srv.Close()
					var out screen
					d := newDemo(srv, &lines{w: &out}, portuguese)
					ctx, cancel := context.WithCancel(t.Context())
					done := make(chan struct{})
					go func() { d.run(ctx); close(done) }()

					time.Sleep(2 * time.Second)
					kinds := map[string]bool{}
					for _, m := range d.shop.Messages() {
						kinds[m.Kind] = true
					}
					for _, kind := range []string{"text", "image", "document", "sticker", "audio", "location", "contact", "poll", "reaction", "buttons", "event", "interactive"} {
						assert.True(t, kinds[kind], "%s is there on the first look", kind)
					}

					time.Sleep(30 * time.Minute)
					synctest.Wait()
					count := len(d.shop.Messages())
					time.Sleep(10 * time.Hour)
					synctest.Wait()
					assert.Len(t, d.shop.Messages(), count, "the customers have gone home")
					assert.Less(t, count, 120)

					var courier []string
					for _, m := range d.courier.Messages() {
						if m.Request != nil {
							courier = append(courier, m.Chat)
						}
					}
					assert.Len(t, courier, 2, "two orders were paid")
					assert.Empty(t, srv.Violations())
					assert.Empty(t, out.String())

					d.shop.Receive(ryzetest.Incoming{From: "5511912345678", Text: "hi"})
					time.Sleep(time.Minute)
					last := d.shop.Messages()[len(d.shop.Messages())-1]
					assert.Equal(t, "buttons", last.Kind, "the bot still answers")
					cancel()
					<-done
				})
			})
		}
	}
}

func TestDemoDoesNotBeginAnewWithAState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, err := ryzetest.Start(ryzetest.InMemory())
		require.NoError(t, err)
		defer srv.Close()
		play := func(d *demo) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			d.run(ctx)
		}
		first := newDemo(srv, &lines{w: &screen{}}, false)
		play(first)
		count := len(first.shop.Messages())
		require.NotZero(t, count)

		var state bytes.Buffer
		require.NoError(t, srv.Save(&state))
		next, err := ryzetest.Start(ryzetest.InMemory(), ryzetest.WithState(&state))
		require.NoError(t, err)
		defer next.Close()
		second := newDemo(next, &lines{w: &screen{}}, false)
		play(second)
		assert.Len(t, second.shop.Messages(), count)
	})
}

func TestDemoSpeaksTheLanguageOfTheEnvironment(t *testing.T) {
	for _, variable := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		t.Setenv(variable, "")
	}
	assert.Equal(t, "cake-shop", language("").shopName())
	t.Setenv("LANG", "pt_BR.UTF-8")
	assert.Equal(t, "confeitaria", language("").shopName())
	assert.Equal(t, "cake-shop", language("en").shopName())
	t.Setenv("LC_ALL", "C")
	assert.Equal(t, "cake-shop", language("").shopName())
	assert.Equal(t, "confeitaria", language("pt").shopName())
}

func TestDemoMediaAreWhatTheySay(t *testing.T) {
	for _, s := range []scene{lastYear, sticker, slice, receiptSheet, door} {
		img, err := png.Decode(bytes.NewReader(picture(s)))
		require.NoError(t, err)
		assert.Equal(t, pictureSize, img.Bounds().Dx())
	}
	wav := chime()
	assert.Equal(t, "RIFF", string(wav[:4]))
	assert.EqualValues(t, len(wav)-8, binary.LittleEndian.Uint32(wav[4:]))
	assert.EqualValues(t, len(wav)-44, binary.LittleEndian.Uint32(wav[40:]))
	pdf := string(priceList(true))
	assert.True(t, strings.HasPrefix(pdf, "%PDF-1.4\n") && strings.HasSuffix(pdf, "%%EOF\n"))
	_, table, _ := strings.Cut(pdf, "xref\n0 6\n0000000000 65535 f \n")
	assert.Contains(t, pdf, "startxref")
	assert.NotEmpty(t, table)
}
