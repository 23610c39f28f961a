use schema::Token;
use std::path::PathBuf;

/// The account of the operating system on whose behalf an agent acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its login name, or `uid-N` if the machine knows none.
    pub name: Token,
    /// Its home folder, if the machine knows one.
    pub home: Option<PathBuf>,
}

impl Account {
    /// The account that this process runs as, from `/etc/passwd`: the user's environment is not asked, since the user could set it.
    pub fn current() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        Self::find(&passwd, uid)
    }

    fn find(passwd: &str, uid: u32) -> Self {
        let wanted = uid.to_string();
        let entry = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields.get(2) == Some(&wanted.as_str()));
        match entry.as_deref() {
            Some([name, _, _, _, _, home, ..]) if !name.is_empty() => {
                Self { name: Token::lossy(name), home: home.starts_with('/').then(|| PathBuf::from(home)) }
            }
            _ => Self { name: Token::lossy(&format!("uid-{uid}")), home: None },
        }
    }
}

#[cfg(test)]
mod tests;
