//! The house from outside: every path over real HTTP, on both databases.

mod stories;
