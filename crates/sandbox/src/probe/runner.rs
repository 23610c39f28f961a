//! The resident process that makes the attempts. It has the agent's walls, starts before the agent, and lets nobody look into it but
//! the warden, and that only while it makes attempts.

use super::scene::{Look, Scene};
use super::{Act, Occasion, Outcome, When, registry};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::process::DumpableBehavior;
use std::os::fd::AsFd;

/// Asks for a round before there is an agent, and while there is one.
pub(crate) const START: &[u8] = b"S";
pub(crate) const PERIODIC: &[u8] = b"P";
/// Longest status of a process.
const STATUS_BYTES: usize = 4096;

/// Makes a round whenever the warden asks for one; returns when the warden is gone. Allocates nothing.
pub(crate) fn serve(scene: &Scene, warden: impl AsFd) {
    let _cosmetic = rustix::thread::set_name(c"bailiwick-probe");
    let mut request = [0_u8; 1];
    while let Ok(1) = rustix::io::retry_on_intr(|| rustix::io::read(&warden, &mut request)) {
        let occasion = if request == START { Occasion::Start } else { Occasion::Periodic };
        let outcomes = round(scene, occasion).map(|outcome| outcome as u8);
        if rustix::io::retry_on_intr(|| rustix::io::write(&warden, &outcomes)) != Ok(outcomes.len()) {
            return;
        }
    }
}

fn round(scene: &Scene, occasion: Occasion) -> [Outcome; registry::COUNT] {
    // The warden must read the arguments of calls that it answers. Landlock keeps the agent from doing the same: it is in a domain
    // below this process's.
    let _unsure = rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable);
    let mut buffer = [0_u8; STATUS_BYTES];
    let look = Look { scene, status: status(&mut buffer) };
    let mut outcomes = [Outcome::Unused; registry::COUNT];
    for ((outcome, probe), refusal) in outcomes.iter_mut().zip(registry::all()).zip(&scene.refusals) {
        if probe.when == When::Always || occasion == Occasion::Start {
            *outcome = match probe.act {
                Act::Call(call) => call.attempt(*refusal),
                Act::Look(attempt) => attempt(&look),
            };
        }
    }
    if rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).is_err() {
        crate::kernel::exit_now(1);
    }
    outcomes
}

fn status(buffer: &mut [u8]) -> &[u8] {
    let Ok(file) = rustix::fs::openat(CWD, c"/proc/self/status", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else { return &[] };
    let length = rustix::io::read(&file, &mut *buffer).unwrap_or(0);
    buffer.get(..length).unwrap_or_default()
}
