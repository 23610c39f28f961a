//! What the agent may ask of the kernel: the lists of `profiles/seccomp`, as tables that the build made of them.
//!
//! Arguments are compared by their low 32 bits, as much as the kernel reads of each argument that is tested there; `null` looks at both
//! halves.

use crate::Error;
use crate::plan::{Calls, Layer};

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// Carried out.
    Allow,
    /// Opens a file: the warden does it for the agent, and reports it, if files are observed. The argument of that number has the flags: with
    /// `O_PATH` the kernel does it, since nothing can be read by such a descriptor, and the warden could not hand one over.
    Open(Option<u32>),
    /// Makes a file in memory: the warden does it for the agent, so that it cannot be executed.
    Make,
    /// Connects a socket: the warden does it for the agent, so that the address it looked at is the one that is used.
    Connect,
    /// Changes names or attributes of files: the warden does it for the agent, and reports it, if files are observed. Else carried out if
    /// every test of one of the alternatives holds, or if there is none.
    Change(&'static [&'static [Test]]),
    /// Executes a program: the warden looks at it before and afterwards, if programs are observed.
    Execute,
    /// Begins to trace a process, or lets itself be traced: told and carried out. What debuggers do afterwards needs no word.
    Trace,
    /// Told and carried out, if programs are observed.
    Tell,
    /// Has changes of a file told: the warden does it for the agent where names are hidden. Else carried out.
    Watch,
    /// Carried out if every test of one of the alternatives holds, else refused: with this error number, or as the list refuses what it
    /// does not name.
    When(&'static [&'static [Test]], Option<i32>),
    /// Refused with `EPERM` and reported.
    Refuse,
    /// Refused as a call that the kernel does not have, and reported.
    RefuseAbsent,
}

/// What becomes of a call of a role's: it has no warden that could do anything for it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RoleRule {
    /// Carried out.
    Allow,
    /// Carried out if every test of one of the alternatives holds; else refused with this error number, or the role is killed.
    When(&'static [&'static [Test]], Option<i32>),
    /// Refused as a call that the kernel does not have.
    Absent,
}

/// A test of one argument: its number, the bits that are looked at, values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Test {
    /// It is one of the values.
    Is(u32, u32, &'static [u32]),
    /// It is zero in both halves.
    Null(u32),
}

/// A call of the agent's and its rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) layer: Layer,
    pub(crate) name: &'static str,
    pub(crate) number: u32,
    pub(crate) rule: Rule,
}

/// The tables, each sorted by number: `AGENT`, one for each part of the roles' lists, `NAMES` of all calls.
mod lists {
    use super::{Entry, Layer, RoleRule, Rule, Test};
    include!(concat!(env!("OUT_DIR"), "/calls.rs"));
}
pub(crate) use lists::{DATA, EVERYONE, LIBRARIES, LOCAL, REMOTE};

/// Bits of a file's mode by which whoever executes it gets its owner's or its group's rights: outside, that would be the user's.
pub(crate) const SET_ID: u32 = 0o6000;
/// The call by which the agent's process hands the filter's listener to the warden when the filter holds already.
const HANDS_OVER: &str = "sendmsg";
/// Requests of ptrace(2) that begin to trace: by oneself, with a stop, and without.
pub(crate) const TRACE_ME: u64 = 0;
pub(crate) const ATTACH: u64 = 16;
pub(crate) const SEIZE: u64 = 0x4206;
/// The address families that can be had: Unix, IPv4, IPv6.
const FAMILIES: [u64; 3] = [1, 2, 10];

/// The lists that hold for one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    layers: Vec<Layer>,
    without: Vec<u32>,
}

impl Table {
    /// Refuses a call to be done without that no list names, and the one that hands the filter's listener over: nobody would answer it.
    pub(crate) fn new(calls: &Calls) -> Result<Self, Error> {
        if calls.without.iter().any(|name| name == HANDS_OVER) {
            return Err(Error::Plan { problem: "no session starts without the system call", path: HANDS_OVER.into() });
        }
        let number = |name: &String| {
            let found = lists::AGENT.iter().find(|entry| entry.name == name);
            found.map(|entry| entry.number).ok_or_else(|| Error::Plan { problem: "no list names the system call", path: name.into() })
        };
        let without = calls.without.iter().map(number).collect::<Result<_, _>>()?;
        Ok(Self { layers: calls.layers.clone(), without })
    }

    /// The same with every usual list, whole: what the probes need to be made with. What it lets through beside, no probe attempts.
    pub(crate) fn widened(&self) -> Self {
        let mut layers = Calls::default().layers;
        layers.extend(self.layers.iter().filter(|layer| !layers.contains(layer)).copied().collect::<Vec<_>>());
        let is_whole = self.without.is_empty() && layers.iter().all(|layer| self.layers.contains(layer));
        if is_whole { self.clone() } else { Self { layers, without: Vec::new() } }
    }

    /// Every call that has a rule.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &'static Entry> {
        lists::AGENT.iter().filter(|entry| self.holds(entry))
    }

    /// What becomes of a call; none if it has no rule.
    pub(crate) fn rule(&self, number: i32) -> Option<Rule> {
        find(number).filter(|entry| self.holds(entry)).map(|entry| entry.rule)
    }

    /// The error number with which a call that was handed to the warden is refused.
    pub(crate) fn refusal(&self, number: i32, arguments: &[u64; 6]) -> i32 {
        let [first, ..] = arguments;
        match find(number) {
            // As a kernel that lacks the family: programs that ask for a netlink socket go on without.
            Some(entry) if entry.name == "socket" && self.holds(entry) => {
                if FAMILIES.contains(first) {
                    libc::EPROTONOSUPPORT
                } else {
                    libc::EAFNOSUPPORT
                }
            }
            // As a kernel that lacks the option: programs that tune a socket go on without.
            Some(entry) if entry.name == "setsockopt" && self.holds(entry) => libc::ENOPROTOOPT,
            Some(entry @ Entry { rule: Rule::When(_, Some(errno)), .. }) if self.holds(entry) => *errno,
            None | Some(Entry { rule: Rule::RefuseAbsent, .. }) => libc::ENOSYS,
            // Also what is only in a layer that does not hold.
            Some(_) => libc::EPERM,
        }
    }

    /// Whether a layer holds.
    pub(crate) fn has(&self, layer: Layer) -> bool {
        self.layers.contains(&layer)
    }

    fn holds(&self, entry: &Entry) -> bool {
        (entry.layer == Layer::Base || self.layers.contains(&entry.layer)) && !self.without.contains(&entry.number)
    }
}

/// The name of a call, `call_NUMBER` if the kernel had none of that number when the lists were made.
pub(crate) fn name(number: i32) -> String {
    let found = u32::try_from(number).ok().and_then(|number| {
        let place = lists::NAMES.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        lists::NAMES.get(place)
    });
    found.map_or_else(|| format!("call_{number}"), |(_, name)| (*name).to_owned())
}

/// What the lists say about a call, in whichever layer.
pub(super) fn find(number: i32) -> Option<&'static Entry> {
    let number = u32::try_from(number).ok()?;
    let place = lists::AGENT.binary_search_by_key(&number, |entry| entry.number).ok()?;
    lists::AGENT.get(place)
}

#[cfg(test)]
mod tests;
