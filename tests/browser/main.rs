//! The pages as people meet them: Chromium over WebDriver, the house over HTTP, and an application that waits for
//! its answer. Every test also fails on a script error or a violation of the content security policy.

mod account;
mod approving;
mod coming_back;
mod every_page;
mod logout;
mod passkeys;
mod plain_means;
mod refusals;
mod signing_in;
mod stage;
mod upstream;
