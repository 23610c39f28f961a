//! The gateway's process: takes what it was handed, confines itself, serves.

use crate::clock::SystemClock;
use crate::print;
use endpoint::GatewayHandover;
use gateway::{Config, Listener, Random, SharedClock, Socket, Upstreams};
use policy::{Policy, Upstream};
use sandbox::{Confinement, Role};
use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Exit code of a gateway that could not start.
const CANNOT_START: i32 = 71;
/// What the resolver reads when a name is looked up after confinement.
const RESOLVER: [&str; 8] =
    ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/ld.so.cache", "/usr/lib", "/lib"];

/// Variables of the environment that hold upstreams' keys: a role has no environment any more, so they are taken before.
pub(crate) struct KeyVariables(BTreeMap<String, OsString>);

impl KeyVariables {
    /// Takes those that the policy names.
    pub(crate) fn take(policy: &Policy, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let names = policy.upstreams().iter().filter_map(Upstream::key_env);
        Self(names.filter_map(|name| Some((name.to_owned(), variable(name)?))).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<OsString> {
        self.0.get(name).cloned()
    }
}

/// Serves one session's calls until its owner says stop.
pub(crate) fn serve(handover: GatewayHandover, keys: &KeyVariables) -> i32 {
    match try_serve(handover, keys) {
        Ok(()) => 0,
        Err(error) => {
            print::note(format_args!("bailiwick: the gateway: {error}"));
            CANNOT_START
        }
    }
}

fn try_serve(handover: GatewayHandover, keys: &KeyVariables) -> Result<(), Box<dyn Error>> {
    let GatewayHandover { listener, subject, policy, evidence, digest_key, model_sockets, stop } = handover;
    let upstreams = Upstreams::prepare(&policy, &model_sockets, &|name| keys.get(name))?;
    let detectors = dlp::Detectors::standard();
    let random = random()?;
    confine()?;
    gateway::serve(Config {
        listener: Listener::Session { socket: Socket::Tcp(listener), subject },
        policy,
        upstreams,
        evidence: evidence::Client::new(evidence)?,
        digest_key,
        random,
        detectors,
        clock: SharedClock(Arc::new(SystemClock)),
        stop: Some(stop),
    })?;
    Ok(())
}

/// Takes everything from this process that serving calls does not need.
pub(crate) fn confine() -> Result<(), sandbox::Error> {
    let read = RESOLVER.iter().map(PathBuf::from).filter(|path| path.exists()).collect();
    sandbox::confine(&Confinement { role: Role::Gateway, read, write: Vec::new(), connect: true })
}

/// Secrets of this process.
pub(crate) fn random() -> Result<Random, Box<dyn Error>> {
    let mut placeholder_key = Zeroizing::new([0; 32]);
    let mut request_seed = [0; 8];
    fill(placeholder_key.as_mut_slice())?;
    fill(&mut request_seed)?;
    Ok(Random { placeholder_key, request_seed })
}

/// Fills a short buffer from the kernel's generator (the crypto library's takes tens of milliseconds to start).
pub(crate) fn fill(buffer: &mut [u8]) -> Result<(), &'static str> {
    let filled = rustix::rand::getrandom(&mut *buffer, rustix::rand::GetRandomFlags::empty());
    if filled == Ok(buffer.len()) { Ok(()) } else { Err("the system's random generator failed; try again") }
}
