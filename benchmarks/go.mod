module github.com/ryzeapi/ryze-go/benchmarks

go 1.26.0

require (
	github.com/ryzeapi/ryze-go v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	rsc.io/qr v0.2.0 // indirect
)

replace github.com/ryzeapi/ryze-go => ../
