// Package host drives a plugin binary with HashiCorp's own plugin SDK: the same handshake, multiplexer, codec and
// proxies that Packer itself uses. Set RESEAL_PACKER_PLUGIN to the binary and run `go test`.
package host
