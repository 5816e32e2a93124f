//! Packer's plugin handshake, multiplexing and RPC.
