//! What a client shows of itself, and how far that can be trusted.

/// What a client shows of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientMarks {
    /// Its logo, at a path of this server.
    pub logo: Option<String>,
    /// How it treats people's data.
    pub policy: Option<String>,
    /// Its terms of service.
    pub tos: Option<String>,
}

/// A client that nobody declared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Introduced {
    /// The host of the document that says who it is; none where it registered itself.
    pub document_host: Option<String>,
    /// The host that the answer goes to.
    pub return_host: Option<String>,
    /// Whether that is the user's own device.
    pub is_here: bool,
}
