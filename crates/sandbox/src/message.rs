//! Messages between the supervisor and the warden, over one message socket.

use crate::probe::Round;
use crate::{Error, Observation, Timeline, Wall};
use schema::Token;
use std::collections::BTreeMap;
use std::io;

/// Longest message.
pub(crate) const BYTES_MAX: usize = 16 << 10;

/// From the warden.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The network stands. Which of the listeners are there; their descriptors come along.
    Listening { present: Vec<bool> },
    /// The walls stand. The descriptor of the session's procfs comes along, then those of the private areas, then the terminal's if there
    /// is one.
    Ready { observed: BTreeMap<Wall, Observation>, round: Round, timeline: Timeline },
    /// The agent runs.
    Started,
    /// The agent ended, and everything that it left behind.
    Exited(i32),
    /// A probe got through: everything inside stands still.
    Breached,
    /// It failed.
    Failed(Error),
}

/// To the warden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Start the agent.
    Release,
    /// Send a signal to the agent's process group.
    Signal(i32),
}

impl Request {
    pub(crate) fn encode(self) -> Vec<u8> {
        match self {
            Self::Release => b"release".to_vec(),
            Self::Signal(number) => format!("signal\n{number}").into_bytes(),
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        match text.split_once('\n') {
            None if text == "release" => Some(Self::Release),
            Some(("signal", number)) => number.parse().ok().map(Self::Signal),
            _ => None,
        }
    }
}

impl Answer {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let text = match self {
            Self::Listening { present } => {
                let present: String = present.iter().map(|one| if *one { '1' } else { '0' }).collect();
                format!("listening\n{present}")
            }
            Self::Ready { observed, round, timeline } => {
                let walls = observed.iter().map(|(wall, seen)| format!("{wall} {}", seen.token()));
                let round = String::from_utf8_lossy(&round.encode()).into_owned();
                ["ready".to_owned(), round, timeline.encode()].into_iter().chain(walls).collect::<Vec<_>>().join("\n")
            }
            Self::Started => "started".to_owned(),
            Self::Breached => "breached".to_owned(),
            Self::Exited(code) => format!("exited\n{code}"),
            Self::Failed(error) => encode_error(error),
        };
        let mut bytes = text.into_bytes();
        bytes.truncate(BYTES_MAX);
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let problem = |problem| Error::Message { problem };
        let text = std::str::from_utf8(bytes).map_err(|_| problem("it is not text"))?;
        let mut lines = text.split('\n');
        match lines.next() {
            Some("listening") => {
                let present = lines.next().unwrap_or_default().chars().map(|one| one == '1').collect();
                Ok(Self::Listening { present })
            }
            Some("ready") => {
                let round = Round::decode(lines.next().unwrap_or_default().as_bytes())?;
                let timeline = Timeline::decode(lines.next().unwrap_or_default()).ok_or_else(|| problem("its times are none"))?;
                let observed = lines.map(decode_wall).collect::<Option<_>>().ok_or_else(|| problem("it names an unknown wall"))?;
                Ok(Self::Ready { observed, round, timeline })
            }
            Some("started") => Ok(Self::Started),
            Some("breached") => Ok(Self::Breached),
            Some("exited") => {
                let code = lines.next().and_then(|code| code.parse().ok());
                code.map(Self::Exited).ok_or_else(|| problem("it has no exit code"))
            }
            Some("failed") => Ok(Self::Failed(decode_error(&lines.collect::<Vec<_>>()))),
            _ => Err(problem("its kind is unknown")),
        }
    }
}

fn decode_wall(line: &str) -> Option<(Wall, Observation)> {
    let (name, found) = line.split_once(' ')?;
    let observation = match found {
        "held" => Observation::Held,
        "unused" => Observation::Unused,
        found => Observation::Missing(Token::lossy(found)),
    };
    Some((Wall::from_name(name)?, observation))
}

fn encode_error(error: &Error) -> String {
    let line = |text: &str| text.replace('\n', " ");
    let number = |source: &io::Error| source.raw_os_error().unwrap_or(libc::EIO);
    match error {
        Error::WallMissing { wall, found } => format!("failed\nwall\n{wall}\n{}", line(found)),
        Error::Path { attempt, path, source } => {
            format!("failed\npath\n{}\n{}\n{}", number(source), line(attempt), line(&path.to_string_lossy()))
        }
        Error::Plan { path, .. } => {
            format!("failed\npath\n{}\n{}\n{}", libc::EINVAL, line(&error.to_string()), line(&path.to_string_lossy()))
        }
        Error::System { attempt, source } => format!("failed\nsystem\n{}\n{}", number(source), line(attempt)),
        Error::Threaded | Error::Message { .. } | Error::WardenLost | Error::Order(_) => {
            format!("failed\nsystem\n{}\n{}", libc::EIO, line(&error.to_string()))
        }
    }
}

fn decode_error(lines: &[&str]) -> Error {
    let source = |number: &str| io::Error::from_raw_os_error(number.parse().unwrap_or(libc::EIO));
    match lines {
        ["wall", wall, found] => match Wall::from_name(wall) {
            Some(wall) => Error::WallMissing { wall, found: (*found).to_owned() },
            None => Error::Message { problem: "it names an unknown wall" },
        },
        ["path", number, attempt, path] => {
            Error::Path { attempt: (*attempt).to_owned().into(), path: (*path).into(), source: source(number) }
        }
        ["system", number, attempt] => Error::System { attempt: (*attempt).to_owned().into(), source: source(number) },
        _ => Error::Message { problem: "its error is unknown" },
    }
}

#[cfg(test)]
mod tests;
