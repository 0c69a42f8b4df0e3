package ryze

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBadNamesAndTokensAreRefusedBeforeAnyRequest(t *testing.T) {
	client, err := New(WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("a request was made: %s", r.URL)
		return nil, http.ErrAbortHandler
	})}))
	require.NoError(t, err)
	ctx := t.Context()
	for _, token := range []string{"", " ", " tok", "tok ", "to\x00k", "to\nk", "tok\t", "to k", "tök", "\xff"} {
		_, err := client.Account(token).ListInstances(ctx)
		var v *ValidationError
		require.ErrorAs(t, err, &v, "%q", token)
		assert.Equal(t, "token", v.Field)
		_, err = NewAccountClient(token)
		require.ErrorIs(t, err, ErrInvalidArgument)
		_, err = NewInstanceClient("a", token)
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	for _, name := range []string{"", " ", " a", "a ", "a\x00", "a\nb", ".", "..", "../x", "a/../b", "a/.", `..\x`, "\xff\xfe", "a\u0085"} {
		account := client.Account("tok")
		for what, err := range map[string]error{
			"create":  second(account.CreateInstance(ctx, CreateInstanceParams{Name: name})),
			"get":     second(account.GetInstance(ctx, name)),
			"delete":  account.DeleteInstance(ctx, name),
			"metrics": second(account.Metrics(ctx, name)),
			"info":    second(client.Instance(name, "tok").Info(ctx)),
			"send":    second(client.Instance(name, "tok").Messages.SendText(ctx, "5511987654321", "hi")),
			"logout":  account.Instance(name).Logout(ctx),
		} {
			var v *ValidationError
			require.ErrorAs(t, err, &v, "%s %q", what, name)
			assert.Equal(t, "instance name", v.Field)
		}
	}
	_, err = client.Account("tok").InstanceFrom(nil).Info(ctx)
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.Account("tok").InstanceFrom(&Instance{Name: "a"}).Info(ctx)
	require.ErrorIs(t, err, ErrInvalidArgument, "without a token")
}

func second[T any](_ T, err error) error { return err }
