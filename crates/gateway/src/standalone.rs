//! The file behind `bailiwick gateway --config FILE`: a gateway of its own, for registered clients on this machine.
use crate::Error;
use crate::secret::{self, Environment};
use crate::session::Client;
use policy::KeySource;
use policy::document::{Diagnostic, Document, Key, Presence, Section, Shape, Table};
use schema::{SessionId, Subject, Token, Trust};
use std::net::SocketAddr;
use std::path::PathBuf;

/// A standalone gateway's configuration, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandaloneFile {
    /// Where clients knock.
    pub listen: Listen,
    /// What may go where.
    pub policy: PolicySource,
    /// The folder of the evidence log.
    pub evidence_directory: PathBuf,
    /// The folder of the signing and digest keys.
    pub keys_directory: PathBuf,
    /// Who may call.
    pub clients: Vec<RegisteredClient>,
}

/// An address that only this machine reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// TCP on loopback.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// Where the policy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// A profile that comes with Bailiwick.
    Profile(String),
    /// A policy file.
    File(PathBuf),
}

/// One client, before its token is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredClient {
    /// Its name in evidence.
    pub agent: Token,
    /// The user on whose behalf it works.
    pub user: Token,
    /// Its registered purpose of processing.
    pub purpose: Option<Token>,
    /// Where its token is read from.
    pub token: KeySource,
}

impl RegisteredClient {
    /// Reads the client's token. `session_id` is the session that it has for as long as the gateway runs.
    ///
    /// # Errors
    /// [`Error`] names the client and what to do.
    pub fn load(self, session_id: SessionId, trust: Trust, environment: Environment<'_>) -> Result<Client, Error> {
        let what = format!("the token of client {}", self.agent);
        let token = match &self.token {
            KeySource::File(path) => secret::from_file(&what, path)?,
            KeySource::Variable(name) => secret::from_environment(&what, name, environment)?,
        };
        let subject = Subject {
            session_id,
            user_id: self.user,
            agent_id: self.agent,
            purpose: self.purpose,
            trust,
            agent_version: None,
            runtime_digest: None,
        };
        Client::new(&token, subject)
    }
}

impl StandaloneFile {
    /// Reads a configuration file. `file` is only a name for the messages.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once, each with file, line and column.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let document = Document::parse(file, text, &STANDALONE);
        let root = document.root();
        let parsed = Self::read(&root);
        document.finish()?;
        // What is missing has been said above; this line only keeps the types honest.
        parsed.ok_or_else(Vec::new)
    }

    fn read(root: &Table<'_>) -> Option<Self> {
        // Everything is read before anything is given up, so that every complaint is made.
        let (listen, policy) = (listen(root), policy_source(root));
        let tables = root.tables("clients");
        if tables.is_empty() && !root.has("clients") {
            root.complain("clients", "nobody could call: add a [[clients]] table");
        }
        let clients: Vec<_> = tables.iter().map(client).collect();
        Some(Self {
            listen: listen?,
            policy: policy?,
            evidence_directory: PathBuf::from(root.text("evidence_directory")?),
            keys_directory: PathBuf::from(root.text("keys_directory")?),
            clients: clients.into_iter().collect::<Option<_>>()?,
        })
    }
}

fn listen(root: &Table<'_>) -> Option<Listen> {
    let text = root.text("listen")?;
    if let Some(path) = text.strip_prefix("unix:") {
        if !path.starts_with('/') {
            root.complain("listen", "the socket's path must be absolute: unix:/path");
            return None;
        }
        return Some(Listen::Unix(PathBuf::from(path)));
    }
    let Ok(address) = text.parse::<SocketAddr>() else {
        root.complain("listen", "give an address and a port such as 127.0.0.1:4180, or unix:/path");
        return None;
    };
    if !address.ip().is_loopback() {
        root.complain("listen", "other machines could reach this, and there is no mutual TLS yet: use 127.0.0.1, [::1] or unix:/path");
        return None;
    }
    Some(Listen::Tcp(address))
}

fn policy_source(root: &Table<'_>) -> Option<PolicySource> {
    match (root.text("profile"), root.text("policy_file")) {
        (Some(name), None) => {
            if policy::builtin(name).is_none() {
                root.complain("profile", "no such profile comes with Bailiwick: use pilot or regulated, or give policy_file");
                return None;
            }
            Some(PolicySource::Profile(name.to_owned()))
        }
        (None, Some(path)) => Some(PolicySource::File(PathBuf::from(path))),
        (Some(_), Some(_)) => {
            root.complain("policy_file", "the policy comes from one place: give profile or policy_file, not both");
            None
        }
        (None, None) => {
            if !root.has("profile") && !root.has("policy_file") {
                root.complain("profile", "the policy is missing: give profile or policy_file");
            }
            None
        }
    }
}

fn client(table: &Table<'_>) -> Option<RegisteredClient> {
    let token = match (table.text("token_file"), table.text("token_env")) {
        (Some(path), None) => Some(KeySource::File(PathBuf::from(path))),
        (None, Some(name)) => Some(KeySource::Variable(name.to_owned())),
        (Some(_), Some(_)) => {
            table.complain("token_env", "the token comes from one place: give token_file or token_env, not both");
            None
        }
        (None, None) => {
            if !table.has("token_file") && !table.has("token_env") {
                table.complain("token_file", "the client's token is missing: give token_file = \"/path\" or token_env = \"NAME\"");
            }
            None
        }
    };
    Some(RegisteredClient { agent: table.name("agent")?, user: table.name("user")?, purpose: table.name("purpose"), token: token? })
}

const fn key(name: &'static str, shape: Shape, presence: Presence, example: &'static str, summary: &'static str) -> Key {
    Key { name, shape, presence, example, summary }
}

/// What the file may hold; the reference is printed from it.
pub static STANDALONE: Section = Section {
    summary: "A gateway of its own, for registered clients on this machine.",
    keys: &[
        key("version", Shape::Integer { least: 1, most: 1 }, Presence::Required, "1", "Version of this format."),
        key(
            "listen",
            Shape::Text,
            Presence::Required,
            "\"127.0.0.1:4180\"",
            "Where clients knock: a loopback address with its port, or `unix:/path`. Other addresses are refused.",
        ),
        key("profile", Shape::Name, Presence::Optional("policy_file is needed"), "\"pilot\"", "A profile that comes with Bailiwick."),
        key("policy_file", Shape::Path, Presence::Optional("profile is needed"), "\"/etc/bailiwick/policy.toml\"", "A policy file."),
        key("evidence_directory", Shape::Path, Presence::Required, "\"/var/lib/bailiwick/evidence\"", "The folder of the evidence log."),
        key("keys_directory", Shape::Path, Presence::Required, "\"/var/lib/bailiwick/keys\"", "The folder of the signing and digest keys."),
        key("clients", Shape::Tables { section: &CLIENT, unique: "agent" }, Presence::Required, "", "Who may call."),
    ],
};

static CLIENT: Section = Section {
    summary: "A client. It shows its token as `authorization: Bearer` or `x-api-key`, and has a session of its own.",
    keys: &[
        key("agent", Shape::Name, Presence::Required, "\"ci-bot\"", "Its name in evidence."),
        key("user", Shape::Name, Presence::Required, "\"build\"", "The user on whose behalf it works."),
        key(
            "purpose",
            Shape::Name,
            Presence::Optional("no purpose is recorded"),
            "\"code-review\"",
            "Its registered purpose of processing.",
        ),
        key(
            "token_file",
            Shape::Path,
            Presence::Optional("token_env is needed"),
            "\"/etc/bailiwick/ci.token\"",
            "A file with its token that only its owner may read.",
        ),
        key(
            "token_env",
            Shape::Variable,
            Presence::Optional("token_file is needed"),
            "\"CI_TOKEN\"",
            "An environment variable with its token.",
        ),
    ],
};

#[cfg(test)]
mod tests;
