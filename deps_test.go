package ryze

import (
	_ "github.com/coder/websocket"
	_ "github.com/hashicorp/go-retryablehttp"
	_ "github.com/stretchr/testify/require"
)
