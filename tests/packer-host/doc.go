// Package host drives a plugin binary with HashiCorp's own plugin SDK: the same handshake, multiplexer, codec and
// proxies that Packer itself uses, in both protocol generations.
//
// RESEAL_PACKER_PLUGIN names the binary; without it every test is skipped. Tests of what any plugin must do run against
// any binary. The others know the components of the example plugin (plugin/crates/packer/examples/hello.rs) and skip
// themselves elsewhere.
//
// RESEAL_PACKER_RECORD names a folder into which the conversations are written, for tests/data/packer. Recorded transfers
// are small.
package host
