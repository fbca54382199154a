//! Every client, and what one of them may and must do.

use askama::Template;
use protocol::client::ClientStatus;
use protocol::client_rules::{Line, Said, Source, Topic, Words};
use protocol::numeric_date::{NumericDate, Seconds};

use super::account::Kind;
use super::admin_endings::EndingInWords;
use super::admin_held::Held;
use super::page::Page;

/// The list of all clients.
#[derive(Clone, Debug, Template)]
#[template(path = "admin_clients.html")]
pub struct AdminClientsPage {
    /// The frame.
    pub page: Page,
    /// The clients.
    pub clients: Vec<ClientRow>,
}

/// One client.
#[derive(Clone, Debug, Template)]
#[template(path = "admin_client.html")]
pub struct AdminClientPage {
    /// The frame.
    pub page: Page,
    /// The client.
    pub client: ClientRow,
    /// Since when an admin has stopped it, if one has.
    pub halted_at: Option<NumericDate>,
    /// What can be done to stop it, or to let it act again.
    pub endings: Vec<EndingLink>,
    /// Its instances, the one that was seen last first.
    pub instances: Vec<InstanceRow>,
    /// Whether there are more than are shown.
    pub more_instances: bool,
    /// What it holds that no consent is behind.
    pub held: Held,
    /// What it may and must do.
    pub lines: Vec<Line>,
}

/// An instance of a client, as far as it was seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstanceRow {
    /// Its id.
    pub id: String,
    /// When the first token was issued that is kept of it.
    pub first: Option<NumericDate>,
    /// When the last was.
    pub last: Option<NumericDate>,
    /// How many of them live.
    pub tokens: i64,
    /// When it was ended, if it was.
    pub ended_at: Option<NumericDate>,
    /// The page that asks whether to end it.
    pub end: String,
}

/// A way to stop an agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndingLink {
    /// What it does.
    pub what: EndingInWords,
    /// The page that asks.
    pub path: String,
}

/// A client in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientRow {
    /// Its id.
    pub id: String,
    /// Where its page is.
    pub path: String,
    /// Its name.
    pub name: String,
    /// What kind of client it is.
    pub kind: Kind,
    /// Its profile.
    pub profile: &'static str,
    /// Who says what it is.
    pub vouched: VouchedFor,
    /// Whether it may act.
    pub status: ClientStatus,
}

/// Who says what a client is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VouchedFor {
    /// The configuration.
    Operator,
    /// It registered itself.
    Nobody,
    /// The document at its id.
    Document,
}

impl ClientRow {
    /// The words for what it is.
    #[must_use]
    pub const fn kind_key(&self) -> &'static str {
        match self.kind {
            Kind::Application => "kind-application",
            Kind::Service => "kind-service",
            Kind::Agent => "kind-agent",
        }
    }

    /// The words for who says so.
    #[must_use]
    pub const fn vouched_key(&self) -> &'static str {
        match self.vouched {
            VouchedFor::Operator => "vouched-operator",
            VouchedFor::Nobody => "vouched-nobody",
            VouchedFor::Document => "vouched-document",
        }
    }

    /// The words for its status.
    #[must_use]
    pub const fn status_key(&self) -> &'static str {
        match self.status {
            ClientStatus::Active => "status-active",
            ClientStatus::Suspended => "status-suspended",
            ClientStatus::Retired => "status-retired",
        }
    }

    /// Whether it may act.
    #[must_use]
    pub fn may_act(&self) -> bool {
        self.status == ClientStatus::Active
    }
}

impl AdminClientPage {
    /// Everything that a line can be about.
    #[cfg(test)]
    pub const TOPICS: [Topic; 24] = [
        Topic::Authentication,
        Topic::AssertionAudience,
        Topic::Keys,
        Topic::SigningAlgs,
        Topic::GrantTypes,
        Topic::RedirectUris,
        Topic::RedirectUriSaid,
        Topic::CodeChallenge,
        Topic::CodeLife,
        Topic::PushedRequests,
        Topic::SignedRequests,
        Topic::RequestObjectLife,
        Topic::SignedResponses,
        Topic::IdTokens,
        Topic::Subjects,
        Topic::Userinfo,
        Topic::BoundTokens,
        Topic::RefreshTokens,
        Topic::Scope,
        Topic::Resources,
        Topic::DetailsTypes,
        Topic::ResourceServer,
        Topic::Logout,
        Topic::Backchannel,
    ];

    /// Every sentence that a line can say.
    #[cfg(test)]
    pub const WORDS: [Words; 16] = [
        Words::Required,
        Words::Optional,
        Words::None,
        Words::IssuerAlone,
        Words::IssuerOrEndpoint,
        Words::KeysByValue,
        Words::UnlessOpenId,
        Words::Certificate,
        Words::KeyOrCertificate,
        Words::Key,
        Words::BearerTokens,
        Words::Rotated,
        Words::NotRotated,
        Words::PublicSubjects,
        Words::PairwiseSubjects,
        Words::PlainJson,
    ];

    /// The words for what a line is about.
    #[must_use]
    pub fn about(&self, line: &Line) -> String {
        self.page.t(topic_key(line.topic))
    }

    /// The words for why it holds.
    #[must_use]
    pub fn why(&self, line: &Line) -> String {
        self.page.t(source_key(line.source))
    }

    /// The sentence or the length of time that a line says, if it says one.
    #[must_use]
    pub fn sentence(&self, line: &Line) -> Option<String> {
        match &line.said {
            Said::Words(words) => Some(self.page.t(words_key(*words))),
            Said::Lasts(Seconds(seconds)) => Some(self.page.t_count("said-seconds", seconds)),
            Said::Values(values) if values.is_empty() => Some(self.page.t("said-none")),
            Said::Values(_) => None,
        }
    }

    /// The values that a line names.
    #[must_use]
    pub fn values<'a>(&self, line: &'a Line) -> &'a [String] {
        match &line.said {
            Said::Values(values) => values,
            Said::Words(_) | Said::Lasts(_) => &[],
        }
    }
}

const fn topic_key(topic: Topic) -> &'static str {
    match topic {
        Topic::Authentication => "rule-authentication",
        Topic::AssertionAudience => "rule-assertion-audience",
        Topic::Keys => "rule-keys",
        Topic::SigningAlgs => "rule-signing-algs",
        Topic::GrantTypes => "rule-grant-types",
        Topic::RedirectUris => "rule-redirect-uris",
        Topic::RedirectUriSaid => "rule-redirect-uri-said",
        Topic::CodeChallenge => "rule-code-challenge",
        Topic::CodeLife => "rule-code-life",
        Topic::PushedRequests => "rule-pushed-requests",
        Topic::SignedRequests => "rule-signed-requests",
        Topic::RequestObjectLife => "rule-request-object-life",
        Topic::SignedResponses => "rule-signed-responses",
        Topic::IdTokens => "rule-id-tokens",
        Topic::Subjects => "rule-subjects",
        Topic::Userinfo => "rule-userinfo",
        Topic::BoundTokens => "rule-bound-tokens",
        Topic::RefreshTokens => "rule-refresh-tokens",
        Topic::Scope => "rule-scope",
        Topic::Resources => "rule-resources",
        Topic::DetailsTypes => "rule-details-types",
        Topic::ResourceServer => "rule-resource-server",
        Topic::Logout => "rule-logout",
        Topic::Backchannel => "rule-backchannel",
    }
}

const fn words_key(words: Words) -> &'static str {
    match words {
        Words::Required => "said-required",
        Words::Optional => "said-optional",
        Words::None => "said-none",
        Words::IssuerAlone => "said-issuer-alone",
        Words::IssuerOrEndpoint => "said-issuer-or-endpoint",
        Words::KeysByValue => "said-keys-by-value",
        Words::UnlessOpenId => "said-unless-openid",
        Words::Certificate => "said-certificate",
        Words::KeyOrCertificate => "said-key-or-certificate",
        Words::Key => "said-key",
        Words::BearerTokens => "said-bearer-tokens",
        Words::Rotated => "said-rotated",
        Words::NotRotated => "said-not-rotated",
        Words::PublicSubjects => "said-public-subjects",
        Words::PairwiseSubjects => "said-pairwise-subjects",
        Words::PlainJson => "said-plain-json",
    }
}

const fn source_key(source: Source) -> &'static str {
    match source {
        Source::Everybody => "source-everybody",
        Source::Profile => "source-profile",
        Source::Registration => "source-registration",
    }
}
