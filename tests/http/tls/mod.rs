//! TLS, client certificates and proxies: real handshakes, with certificates of authorities made for the test.

mod binding;
mod handshake;
mod listeners;
mod methods;
mod proxies;
