package ryze

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cut is a text that was cut in the middle of a character.
const cut = "Promo \xf0\x9f\x98"

// full fills v, whose texts become good values that their fields accept.
func full(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.String() == "" && v.CanSet() {
			v.SetString("5511987654321")
		}
	case reflect.Pointer:
		if v.IsNil() && v.CanSet() && v.Type().Elem().Kind() != reflect.Bool {
			v.Set(reflect.New(v.Type().Elem()))
		}
		if !v.IsNil() {
			full(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "Meta" {
				full(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Len() == 0 && v.CanSet() && v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			full(v.Index(i))
		}
	}
}

// eachText calls f with each text of v, which it may change, by its path.
func eachText(path string, v reflect.Value, f func(path string, text reflect.Value)) {
	switch v.Kind() {
	case reflect.String:
		f(path, v)
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			eachText(path, v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && field.Name != "Meta" {
				eachText(path+"."+field.Name, v.Field(i), f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachText(at(path, i), v.Index(i), f)
		}
	}
}

// Every text that a caller can give is spoilt once, in every call that takes a
// struct. The error names the field.
func TestTextThatIsNotUTF8IsRefusedInEveryField(t *testing.T) {
	photo := MediaBytes("a.png", pngHead)
	for name, c := range map[string]struct {
		value any // a pointer to what is given
		call  func(context.Context, *InstanceClient, any) error
	}{
		"Text": {new(Text("hi")), nil}, "TextStatus": {&TextStatus{}, nil}, "Media": {&Media{Source: photo, MIME: "image/png"}, nil},
		"MediaStatus": {&MediaStatus{Source: MediaURL("https://a.example/a.png"), MIME: "image/png"}, nil},
		"Location":    {&Location{Latitude: 1}, nil}, "ContactCards": {&ContactCards{{}, {}}, nil},
		"Poll": {&Poll{Options: []string{"a", "b"}}, nil}, "Pix": {&Pix{KeyType: PixPhone, Items: []PixItem{{Quantity: 1}}}, nil},
		"Buttons":  {&Buttons{Buttons: []Button{{Kind: ButtonReply}}, MediaURL: "https://a.example/a.png", MediaKind: MediaImage}, nil},
		"List":     {&List{}, nil},
		"Carousel": {&Carousel{Cards: []Card{{ImageURL: "https://a.example/a.png", Buttons: []Button{{Kind: ButtonReply}}}}}, nil},
		"Form":     {&Form{}, nil}, "CalendarEvent": {&CalendarEvent{StartAt: time.Unix(1, 0)}, nil},
		"Reaction": {&Reaction{Participant: ana}, nil}, "RemoveReaction": {&RemoveReaction{Participant: ana}, nil},

		"SettingsUpdate": {&SettingsUpdate{}, func(ctx context.Context, i *InstanceClient, v any) error {
			_, err := i.Settings.Update(ctx, *v.(*SettingsUpdate))
			return err
		}},
		"Proxy": {&ProxyConfig{Port: "1"}, func(ctx context.Context, i *InstanceClient, v any) error { return i.Proxy.Set(ctx, *v.(*ProxyConfig)) }},
		"Storage": {&StorageConfig{Endpoint: "https://s3.example"}, func(ctx context.Context, i *InstanceClient, v any) error {
			_, err := i.Storage.Set(ctx, *v.(*StorageConfig))
			return err
		}},
		"Webhook": {&WebhookConfig{URL: "https://a.example"}, func(ctx context.Context, i *InstanceClient, v any) error {
			_, err := i.Webhooks.Set(ctx, *v.(*WebhookConfig))
			return err
		}},
		"WebSocket": {&WebSocketConfig{}, func(ctx context.Context, i *InstanceClient, v any) error {
			_, err := i.WebSocket.Set(ctx, *v.(*WebSocketConfig))
			return err
		}},
		"Chatwoot": {&ChatwootConfig{BaseURL: "https://c.example", AccountID: 1}, func(ctx context.Context, i *InstanceClient, v any) error {
			_, err := i.Chatwoot.Set(ctx, *v.(*ChatwootConfig))
			return err
		}},
		"CreateGroupParams": {&CreateGroupParams{ImageURL: "https://a.example/a.png", Community: family}, func(ctx context.Context, i *InstanceClient, v any) error {
			_, err := i.Groups.Create(ctx, *v.(*CreateGroupParams))
			return err
		}},
		"GroupUpdate": {&GroupUpdate{ImageURL: "https://a.example/a.png"}, func(ctx context.Context, i *InstanceClient, v any) error {
			_, err := i.Groups.Update(ctx, family, *v.(*GroupUpdate))
			return err
		}},
		"CreateCommunityParams": {&CreateCommunityParams{Groups: []JID{family}}, func(ctx context.Context, i *InstanceClient, v any) error {
			_, err := i.Communities.Create(ctx, *v.(*CreateCommunityParams))
			return err
		}},
		"CreateNewsletterParams": {&CreateNewsletterParams{}, func(ctx context.Context, i *InstanceClient, v any) error {
			_, err := i.Newsletters.Create(ctx, *v.(*CreateNewsletterParams))
			return err
		}},
		"ProfileUpdate": {&ProfileUpdate{}, func(ctx context.Context, i *InstanceClient, v any) error {
			_, err := i.Profile.Update(ctx, *v.(*ProfileUpdate))
			return err
		}},
	} {
		value := reflect.ValueOf(c.value)
		full(value)
		call := c.call
		if call == nil {
			to := ana
			if strings.HasSuffix(name, "Status") {
				to = StatusBroadcast
			}
			call = func(ctx context.Context, i *InstanceClient, v any) error {
				_, err := i.Messages.Send(ctx, to, reflect.ValueOf(v).Elem().Interface().(Content))
				return err
			}
		}
		texts := 0
		eachText(name, value, func(path string, text reflect.Value) {
			texts++
			good := text.String()
			defer text.SetString(good)
			for _, bad := range []string{good + "\xf0\x9f\x98", good + "\xed\xa0\x80", good + "\xff", "\xe1" + good, good + "\x00"} {
				text.SetString(bad)
				err := call(t.Context(), silent(t), c.value)
				var v *ValidationError
				require.ErrorAs(t, err, &v, "%s = %q", path, bad)
				if text.Type() != reflect.TypeFor[JID]() { // the address is checked as such
					want := path
					if name == "Text" {
						want = "text"
					}
					assert.Equal(t, want, v.Field, "%q", bad)
				}
			}
		})
		assert.Positive(t, texts, name)
	}
}

func TestTextThatIsNotUTF8IsRefusedInEveryArgument(t *testing.T) {
	ctx := t.Context()
	for name, call := range map[string]func(*InstanceClient) error{
		"SendText": func(i *InstanceClient) error { _, err := i.Messages.SendText(ctx, ana, cut); return err },
		"ReplyTo":  func(i *InstanceClient) error { _, err := i.Messages.SendText(ctx, ana, "x", ReplyTo(cut)); return err },
		"ReplyPrivate": func(i *InstanceClient) error {
			_, err := i.Messages.SendText(ctx, family, "x", ReplyPrivate(cut))
			return err
		},
		"SourceLabel": func(i *InstanceClient) error {
			_, err := i.Messages.SendText(ctx, ana, "x", SourceLabel(cut))
			return err
		},
		"Mention": func(i *InstanceClient) error {
			_, err := i.Messages.SendText(ctx, family, "x", Mention(cut))
			return err
		},
		"ButtonParams": func(i *InstanceClient) error {
			_, err := i.Messages.Send(ctx, ana, Form{Text: "x", ButtonParams: json.RawMessage(`{"a":"` + cut + `"}`)})
			return err
		},
		"source name": func(i *InstanceClient) error {
			_, err := i.Messages.Send(ctx, ana, Media{Source: MediaBytes(cut+".png", pngHead)})
			return err
		},
		"media URL": func(i *InstanceClient) error {
			_, err := i.Messages.Send(ctx, ana, Sticker{MediaURL("https://a.example/" + cut)})
			return err
		},
		"edit":     func(i *InstanceClient) error { _, err := i.Messages.Edit(ctx, "3EB0", cut); return err },
		"edit id":  func(i *InstanceClient) error { _, err := i.Messages.Edit(ctx, cut, "x"); return err },
		"delete":   func(i *InstanceClient) error { return i.Messages.DeleteForMe(ctx, cut) },
		"get":      func(i *InstanceClient) error { _, err := i.Messages.Get(ctx, cut); return err },
		"pin":      func(i *InstanceClient) error { return i.Messages.Pin(ctx, cut, 24*time.Hour) },
		"label":    func(i *InstanceClient) error { _, err := i.Labels.Create(ctx, cut, 1); return err },
		"label id": func(i *InstanceClient) error { return i.Labels.Delete(ctx, cut) },
		"assign":   func(i *InstanceClient) error { return i.Labels.Assign(ctx, ana, cut) },
		"labeled": func(i *InstanceClient) error {
			_, err := i.Contacts.ByLabel(ctx, LabelFilter{Names: []string{cut}})
			return err
		},
		"webhook label": func(i *InstanceClient) error { _, err := i.Webhooks.Get(ctx, cut); return err },
		"webhook off":   func(i *InstanceClient) error { return i.Webhooks.Disable(ctx, cut) },
		"invite":        func(i *InstanceClient) error { _, err := i.Groups.Join(ctx, "AbC"+cut); return err },
		"preview": func(i *InstanceClient) error {
			_, err := i.Groups.Preview(ctx, "https://chat.whatsapp.com/AbC\xff")
			return err
		},
		"channel": func(i *InstanceClient) error {
			_, err := i.Newsletters.Follow(ctx, "https://whatsapp.com/channel/AbC\xff")
			return err
		},
		"audio URL": func(i *InstanceClient) error {
			_, err := i.Calls.PlayAudio(ctx, ana, MediaURL("https://a.example/\xff.mp3"))
			return err
		},
		"picture URL": func(i *InstanceClient) error {
			_, err := i.Profile.Update(ctx, ProfileUpdate{Picture: MediaURL("https://a.example/\xff.png")})
			return err
		},
		"Do, body": func(i *InstanceClient) error {
			_, err := i.Client().Do(ctx, "POST", "/api/x/main", "instance-token", map[string]any{"a": []string{cut}}, nil)
			return err
		},
		"Do, key": func(i *InstanceClient) error {
			_, err := i.Client().Do(ctx, "POST", "/api/x/main", "instance-token", map[string]any{cut: 1}, nil)
			return err
		},
		"Do, raw JSON": func(i *InstanceClient) error {
			_, err := i.Client().Do(ctx, "POST", "/api/x/main", "instance-token", json.RawMessage(`{"a":"`+cut+`"}`), nil)
			return err
		},
		"Do, query": func(i *InstanceClient) error {
			_, err := i.Client().Do(ctx, "GET", "/api/x/main?a=%F0%9F", "instance-token", nil, nil)
			return err
		},
	} {
		err := call(silent(t))
		var v *ValidationError
		require.ErrorAs(t, err, &v, name)
		assert.NotEmpty(t, v.Field, name)
		assert.NotContains(t, v.Error(), "\xf0\x9f", name)
	}
	_, err := New(WithSource(cut))
	requireInvalid(t, err, "source")
}

// The replacement character, escapes and every plane of Unicode are texts like
// any other.
func TestGoodTextArrivesAsItIs(t *testing.T) {
	for _, text := range []string{"\ufffd", `\ufffd`, `\u0000`, "a\\ufffd\ufffd", "😀👩‍👩‍👧", "ação", "\u2028<&>", "\U0010ffff", "tab\tand\nline\r"} {
		inst, s := script(t, scriptedReply{body: sent})
		_, err := inst.Messages.SendText(t.Context(), ana, text)
		require.NoError(t, err, "%q", text)
		var body struct{ Message string }
		require.NoError(t, json.Unmarshal([]byte(s.requests()[0].Body), &body))
		assert.Equal(t, text, body.Message)
	}
}

func TestGoodQueryIsNotSuspected(t *testing.T) {
	for query, good := range map[string]bool{
		"": true, "a=b": true, "a=%40": true, "a=%C3%A7": true, "a=%F0%9F%98%80": true, "a=ç": true, "a=100%25": true,
		"a=%F0%9F": false, "a=%ff": false, "a=\xff": false, "a=%00": false, "%ED%A0%80=1": false,
	} {
		assert.Equal(t, good, checkQuery(query) == nil, query)
	}
}
