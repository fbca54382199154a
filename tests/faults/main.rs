//! What the house keeps when something breaks: a process that dies, two that race, a database that goes away,
//! a client that means no good.

mod goodbye;
mod hostile_clients;
mod killed;
