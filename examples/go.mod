module github.com/ryzeapi/ryze-go/examples

go 1.25.0

require (
	github.com/mdp/qrterminal/v3 v3.2.1
	github.com/ryzeapi/ryze-go v0.0.0
	github.com/stretchr/testify v1.12.1
	golang.org/x/sync v0.20.0
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.42.0 // indirect
	golang.org/x/term v0.41.0 // indirect
	rsc.io/qr v0.2.0 // indirect
)

replace github.com/ryzeapi/ryze-go => ../
