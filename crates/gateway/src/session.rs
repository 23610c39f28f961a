//! Who calls: the accepting listener's own session, or a registered client that shows its token.
use crate::Error;
use crate::limits::{CLIENT_TOKEN_BYTES_MIN, CLIENTS_MAX};
use crate::thoughts::{ThoughtDigest, Thoughts};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use dlp::Vault;
use http::{HeaderMap, header};
use schema::{RefusalCode, Subject};
use std::sync::{Arc, Mutex, MutexGuard};

/// A client of a standalone gateway. Its token is kept only as a digest.
#[derive(Clone, Debug)]
pub struct Client {
    token_digest: [u8; 32],
    subject: Subject,
}

impl Client {
    /// Registers a client under the token that it will show.
    ///
    /// # Errors
    /// [`Error::Client`] if the token is too short to be a secret.
    pub fn new(token: &str, subject: Subject) -> Result<Self, Error> {
        if token.len() < CLIENT_TOKEN_BYTES_MIN {
            let reason = "its token is too short; use at least 24 characters, for example from `openssl rand -hex 32`";
            return Err(Error::Client { agent: subject.agent_id.to_string(), reason });
        }
        Ok(Self { token_digest: token_digest(token.as_bytes()), subject })
    }

    /// On whose behalf the client calls.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }
}

fn token_digest(token: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token).as_ref());
    bytes
}

/// One session's state: who it is, and the values replaced in it.
pub(crate) struct Session {
    pub(crate) subject: Subject,
    vault: Mutex<Vault>,
    thoughts: Mutex<Thoughts>,
}

impl Session {
    fn new(subject: Subject, placeholder_key: &[u8; 32]) -> Self {
        Self { subject, vault: Mutex::new(Vault::new(*placeholder_key)), thoughts: Mutex::default() }
    }

    /// The session's vault. A crash of whatever held it ends the session: it never goes on empty.
    pub(crate) fn vault(&self) -> Result<MutexGuard<'_, Vault>, RefusalCode> {
        self.vault.lock().map_err(|_| RefusalCode::SessionLost)
    }

    /// What the session's upstream thought. Nothing can crash while it is held, so a lost one counts as a lost session too.
    pub(crate) fn thoughts(&self) -> Result<MutexGuard<'_, Thoughts>, RefusalCode> {
        self.thoughts.lock().map_err(|_| RefusalCode::SessionLost)
    }

    /// Takes note of what the upstream sent. Without a note a thought is masked like any other text.
    pub(crate) fn remember(&self, thoughts: &[ThoughtDigest]) {
        if !thoughts.is_empty()
            && let Ok(mut known) = self.thoughts()
        {
            known.remember(thoughts);
        }
    }
}

/// How callers prove who they are.
pub(crate) enum Door {
    /// By the listener: only one session can reach it.
    Listener(Arc<Session>),
    /// By a bearer token.
    Tokens(Vec<([u8; 32], Arc<Session>)>),
}

impl Door {
    pub(crate) fn of_session(subject: Subject, placeholder_key: &[u8; 32]) -> Self {
        Self::Listener(Arc::new(Session::new(subject, placeholder_key)))
    }

    pub(crate) fn of_clients(clients: Vec<Client>, placeholder_key: &[u8; 32]) -> Result<Self, Error> {
        if clients.is_empty() {
            return Err(Error::NoClients);
        }
        let mut tokens: Vec<([u8; 32], Arc<Session>)> = Vec::with_capacity(clients.len().min(CLIENTS_MAX));
        for client in clients {
            let wrong = |reason| Error::Client { agent: client.subject.agent_id.to_string(), reason };
            if tokens.len() >= CLIENTS_MAX {
                return Err(wrong("there are more clients than the bound; run a second gateway"));
            }
            if tokens.iter().any(|(digest, _)| *digest == client.token_digest) {
                return Err(wrong("another client has the same token; give each its own"));
            }
            tokens.push((client.token_digest, Arc::new(Session::new(client.subject, placeholder_key))));
        }
        Ok(Self::Tokens(tokens))
    }

    /// Every session behind this door.
    pub(crate) fn sessions(&self) -> Vec<&Arc<Session>> {
        match self {
            Self::Listener(session) => vec![session],
            Self::Tokens(tokens) => tokens.iter().map(|(_, session)| session).collect(),
        }
    }

    /// Who sent these headers. With a listener's session they prove nothing and are not looked at.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Result<Caller, RefusalCode> {
        let tokens = match self {
            Self::Listener(session) => return Ok(Caller { session: Arc::clone(session) }),
            Self::Tokens(tokens) => tokens,
        };
        let shown = token_digest(shown_token(headers).ok_or(RefusalCode::Unauthenticated)?);
        // Every entry is compared, each in constant time, so that timing tells nothing about any of them.
        let mut found = None;
        for (digest, session) in tokens {
            if verify_slices_are_equal(digest, &shown).is_ok() {
                found = Some(session);
            }
        }
        let session = Arc::clone(found.ok_or(RefusalCode::Unauthenticated)?);
        Ok(Caller { session })
    }
}

fn shown_token(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.as_bytes().split_at_checked(7)?;
        return scheme.eq_ignore_ascii_case(b"bearer ").then_some(token);
    }
    headers.get("x-api-key").map(http::HeaderValue::as_bytes)
}

/// A caller that proved who it is. Only the gateway's door makes one.
#[expect(missing_debug_implementations, reason = "leads to the session's replaced values, which are never printed")]
pub struct Caller {
    pub(crate) session: Arc<Session>,
}

#[cfg(test)]
mod tests;
