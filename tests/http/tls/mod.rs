//! TLS, client certificates and proxies: real handshakes, with certificates of authorities made for the test.

mod agents;
mod binding;
mod elsewhere;
mod handshake;
mod listeners;
mod methods;
mod proxies;
mod registering;
