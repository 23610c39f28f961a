use super::{Built, Inmate, Setup, allow, failed_step, launch};
use crate::agent::Goal;
use crate::opener::Opener;
use crate::plan::Network;
use crate::probe::{self, Findings};
use crate::report::Journal;
use crate::{Error, Observation, Wall};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{WaitId, WaitIdOptions};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// The warden, process 1 and the probe.
const PROCESSES_ALIVE: u64 = 3;

/// Runs the probe and writes what it found into `built.observed`. A required wall that did not hold is an error.
pub(super) fn try_walls(setup: &Setup, built: &mut Built) -> Result<(), Error> {
    let mut inmate = launch(setup, built, Goal::Probe(probe::run))?;
    let counted = built.gauge.bounds_processes(PROCESSES_ALIVE, setup.plan.limits.processes_max);
    let opener = answer_probe(setup, built, &mut inmate)?;
    let mut buffer = [0_u8; probe::ANSWER_BYTES];
    let length = rustix::io::retry_on_intr(|| rustix::io::read(&inmate.status, &mut buffer)).map_err(Error::errno("read the probe"))?;
    let said = buffer.get(..length).unwrap_or_default();
    let _reaped = rustix::process::waitid(WaitId::PidFd(inmate.pidfd.as_fd()), WaitIdOptions::EXITED);
    let Some(findings) = Findings::decode(said) else { return Err(failed_step(setup, said)) };
    let seen = opener.is_some_and(|opener| opener.journal().has_opened(Path::new(probe::OBSERVED_INSIDE)));
    for (wall, held) in walls(setup, built, &findings, (counted, seen)) {
        if built.observed.contains_key(&wall) {
            continue;
        }
        if held {
            built.observed.insert(wall, Observation::Held);
            continue;
        }
        let missing = Err(Error::WallMissing { wall, found: found(wall).to_owned() });
        if wall == Wall::FileObservation && !setup.plan.guards.is_empty() {
            // Nothing would keep the agent from what is guarded.
            return missing;
        }
        allow(&setup.plan, &mut built.observed, missing)?;
    }
    Ok(())
}

/// What it means that a wall did not hold.
fn found(wall: Wall) -> &'static str {
    if wall == Wall::Cgroup {
        "no control group with both pids and memory could be made"
    } else if wall == Wall::Rlimits {
        "nothing counts the processes of this user"
    } else {
        "the probe inside got through"
    }
}

/// Answers the probe's calls as the agent's will be, until it has said what it found.
fn answer_probe(setup: &Setup, built: &Built, inmate: &mut Inmate) -> Result<Option<Opener>, Error> {
    let Some(listener) = inmate.listener.take() else { return Ok(None) };
    let mut opener = Opener::new(listener, Journal::trial(), &built.root, &setup.plan.programs, setup.calls.clone())?;
    inmate.go()?;
    loop {
        let mut events = [PollFd::new(&inmate.status, PollFlags::IN), PollFd::from_borrowed_fd(opener.as_fd(), PollFlags::IN)];
        rustix::io::retry_on_intr(|| poll(&mut events, None)).map_err(Error::errno("watch the probe"))?;
        let [said, asked] = events.map(|event| event.revents());
        if !said.is_empty() || asked.intersects(PollFlags::HUP | PollFlags::ERR) {
            return Ok(Some(opener));
        }
        if asked.contains(PollFlags::IN) {
            opener.answer_one()?;
        }
    }
}

fn walls(setup: &Setup, built: &mut Built, findings: &Findings, (counted, seen): (bool, bool)) -> Vec<(Wall, bool)> {
    let namespaces = [
        Wall::UserNamespace,
        Wall::MountNamespace,
        Wall::PidNamespace,
        Wall::NetNamespace,
        Wall::IpcNamespace,
        Wall::UtsNamespace,
        Wall::CgroupNamespace,
        Wall::TimeNamespace,
    ];
    let pairs = findings.namespaces.iter().zip(&setup.outside);
    let mut walls: Vec<(Wall, bool)> =
        namespaces.into_iter().zip(pairs.map(|(inside, outside)| *inside != 0 && inside != outside)).collect();
    walls.extend([
        (Wall::MinimalRoot, findings.root),
        (Wall::Landlock, findings.landlock),
        (Wall::Seccomp, findings.seccomp),
        (Wall::NoNewPrivileges, findings.no_new_privileges),
        (Wall::NoCapabilities, findings.no_capabilities),
        (Wall::Rlimits, counted || findings.processes_counted || built.init.bounds_processes),
        (Wall::Cgroup, counted && built.gauge.bounds_memory(setup.plan.limits.memory_bytes_max)),
    ]);
    if setup.plan.observe_files {
        walls.push((Wall::FileObservation, findings.opened && seen));
    } else {
        built.observed.insert(Wall::FileObservation, Observation::Unused);
    }
    match setup.plan.network {
        Network::Isolated => drop(built.observed.insert(Wall::DoorRedirect, Observation::Unused)),
        Network::Door { .. } => walls.push((Wall::DoorRedirect, door_holds(built, findings))),
    }
    walls
}

/// The probe's connections must have arrived with their destinations, in both families that exist.
fn door_holds(built: &Built, findings: &Findings) -> bool {
    let [_, _, v4, v6, ..] = &built.listeners;
    let held = |listener: &Option<OwnedFd>, knocked: bool, address| match listener {
        Some(listener) => knocked && arrived(listener) == Some(address),
        None => true,
    };
    held(v4, findings.door_v4, probe::KNOCK_V4) && held(v6, findings.door_v6, probe::KNOCK_V6)
}

fn arrived(listener: &OwnedFd) -> Option<std::net::SocketAddr> {
    // The probe said that it is connected, so this does not wait.
    let connection = rustix::net::accept(listener).ok()?;
    crate::original_destination(connection.as_fd()).ok()
}
