package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThePageOfMetricsShowsHowTheClientIsDoing(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, "localhost:0", in)
		ended <- err
		_ = in.CloseWithError(io.EOF)
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	address := strings.TrimSpace(strings.TrimPrefix(line, "Metrics: "))

	// By the second message a wait for quota has been met.
	wanted := []string{
		`http_client_request_duration_seconds_count{http_request_method="POST",http_response_status_code="200",.*url_template="/api/message/text/:instance"} [1-9]`,
		`http_client_request_duration_seconds_count{error_type="rate limited",.*} [1-9]`,
		`ryze_call_duration_seconds_count{.*ryze_operation="messages.text",ryze_outcome="accepted"} ([2-9]|\d\d)`,
		`ryze_quota_remaining{.*ryze_instance="demo",ryze_rate_class="global_100"} [1-9]`,
		`ryze_quota_wait_seconds_count{.*ryze_priority="normal"} [1-9]`,
		`ryze_quota_wait_seconds_sum{.*ryze_priority="normal"} \d`,
		`ryze_stream_lag_seconds_count{.*ryze_instance="demo"} ([2-9]|\d\d)`,
		`messaging_client_consumed_messages_total{messaging_destination_name="message.exchange",.*} ([2-9]|\d\d)`,
		`messaging_process_duration_seconds_count{messaging_destination_name="message.exchange",.*ryze_event_result="handled",ryze_event_via="stream"} ([2-9]|\d\d)`,
	}
	var page string
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		page = fetch(t, address)
		for _, metric := range wanted {
			assert.True(t, regexp.MustCompile("(?m)^"+metric).MatchString(page), metric)
		}
	}, 30*time.Second, 100*time.Millisecond)
	for _, secret := range []string{"5511987654321", "Hello", "Ana"} {
		assert.NotContains(t, page, secret)
	}

	stop()
	require.NoError(t, <-ended)
}

func fetch(t require.TestingT, address string) string {
	res, err := http.Get(address) //nolint:noctx // of a test
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	return string(body)
}
