use super::{apparmor, policy};
use crate::cli::DoctorArgs;
use crate::exit::{DONE, Failure, NEGATIVE, REFUSED, advice};
use crate::print;
use sandbox::{Outcome, Probe, Round, StandIn, Wall, WallStatus};
use schema::Trust;
use serde::Serialize;

/// One wall, for machines.
#[derive(Serialize)]
struct Row<'a> {
    wall: &'static str,
    available: bool,
    /// Whether a session of this profile may start without it.
    may_be_missing: bool,
    found: &'a str,
    advice: Option<&'a str>,
}

/// One probe, for machines.
#[derive(Serialize)]
struct ProbeRow {
    name: &'static str,
    wall: &'static str,
    /// The wall behind it.
    second: Option<&'static str>,
    attempt: &'static str,
    expected: &'static str,
    outcome: &'static str,
}

/// A right that the kernel's Landlock lacks, for machines.
#[derive(Serialize)]
struct StandInRow {
    right: &'static str,
    /// What makes it good.
    wall: &'static str,
    /// What shows that it does.
    probes: &'static [&'static str],
    holds: bool,
}

/// What this machine gives.
#[derive(Serialize)]
struct Findings<'a> {
    profile: String,
    kernel_release: String,
    landlock_abi: u32,
    /// What would bound a session's processes together: `cgroup-v2`, `cgroup-v1` or `watcher`.
    limits_by: &'static str,
    sessions_can_start: bool,
    /// Why the profile refuses sessions on any machine with this version, if it does.
    refused: Option<String>,
    walls: Vec<Row<'a>>,
    /// What makes good which right that the kernel's Landlock lacks.
    stand_ins: Vec<StandInRow>,
    /// Every attempt on the walls and what came of it, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    probes: Option<Vec<ProbeRow>>,
}

pub(super) fn run(args: &DoctorArgs) -> Result<u8, Failure> {
    if args.apparmor_profile {
        return apparmor::print_profile();
    }
    let policy = policy::load(&args.policy)?;
    let allowed = &policy.session().danger_allow_missing;
    let survey = sandbox::survey().map_err(|error| Failure::new(REFUSED, error))?;
    let row = |status: &'_ WallStatus| {
        let may_be_missing = status.wall.is_optional() || allowed.iter().any(|wall| Wall::from_name(wall.as_str()) == Some(status.wall));
        (status.available, may_be_missing)
    };
    let walls: Vec<Row<'_>> = survey
        .walls
        .iter()
        .map(|status| {
            let (available, may_be_missing) = row(status);
            let advice = (!available).then_some(status.advice);
            Row { wall: status.wall.name(), available, may_be_missing, found: &status.found, advice }
        })
        .collect();
    let walls_suffice = !walls.is_empty() && walls.iter().all(|row| row.available || row.may_be_missing);
    let refusal = ::policy::decide_session(&policy, Trust::SelfKept, None).err();
    // A purpose is given with each session; that none is given here is no finding.
    let refused =
        refusal.filter(|refusal| refusal.rules.iter().any(|rule| rule.as_str().ends_with("/session.trust_minimum"))).map(|refusal| {
            let to_do = advice(&refusal).unwrap_or_default();
            format!("{refusal}; {to_do}")
        });
    let sessions_can_start = walls_suffice && refused.is_none();
    let findings = Findings {
        profile: policy.profile().to_string(),
        kernel_release: survey.kernel_release.clone(),
        landlock_abi: survey.landlock_abi,
        limits_by: survey.limits_by.name(),
        sessions_can_start,
        refused,
        walls,
        stand_ins: survey.stand_ins.iter().map(stand_in).collect(),
        probes: args.probes.then(|| probes(survey.round.as_ref())),
    };
    if args.json {
        print::json(&findings);
    } else {
        tell(&findings);
    }
    Ok(if sessions_can_start { DONE } else { NEGATIVE })
}

fn stand_in(found: &StandIn) -> StandInRow {
    StandInRow { right: found.right, wall: found.wall.name(), probes: found.probes, holds: found.holds }
}

fn probes(round: Option<&Round>) -> Vec<ProbeRow> {
    let row = |(probe, outcome): (&'static Probe, Outcome)| ProbeRow {
        name: probe.name,
        wall: probe.wall.name(),
        second: probe.second.map(Wall::name),
        attempt: probe.attempt,
        expected: probe.expected,
        outcome: outcome.name(),
    };
    round.into_iter().flat_map(Round::results).map(row).collect()
}

fn tell_probes(rows: &[ProbeRow]) {
    for row in rows {
        let wall = row.second.map_or_else(|| row.wall.to_owned(), |second| format!("{}, {second}", row.wall));
        print::line(format_args!("{:9}  {:24}  {:24}  {}: {}", row.outcome, row.name, wall, row.attempt, row.expected));
    }
    let made = rows.iter().filter(|row| row.outcome != Outcome::Unused.name()).count();
    let refused = rows.iter().filter(|row| row.outcome == Outcome::Refused.name()).count();
    print::line(format_args!("\n{refused} of {made} probes refused.\n"));
}

fn tell(findings: &Findings<'_>) {
    let (kernel, abi, limits_by) = (&findings.kernel_release, findings.landlock_abi, findings.limits_by);
    print::line(format_args!("Linux {kernel}, Landlock ABI {abi}, limits of a whole session by {limits_by}\n"));
    if let Some(rows) = &findings.probes {
        tell_probes(rows);
    }
    for row in &findings.walls {
        let state = match (row.available, row.may_be_missing) {
            (true, _) => "ok     ",
            (false, true) => "without",
            (false, false) => "MISSING",
        };
        print::line(format_args!("{state}  {:18}  {}", row.wall, row.found));
        if let Some(advice) = row.advice.filter(|_| !row.may_be_missing) {
            print::line(format_args!("         to do: {advice}"));
        }
    }
    for row in &findings.stand_ins {
        let state = if row.holds { "stands in, tried by" } else { "does not stand in, as shown by" };
        print::line(format_args!("Landlock lacks {}: {} {state} {}.", row.right, row.wall, row.probes.join(", ")));
    }
    let verdict = if findings.sessions_can_start { "can start here" } else { "cannot start here" };
    print::line(format_args!("\nSessions of profile `{}` {verdict}.", findings.profile));
    if let Some(refused) = &findings.refused {
        print::line(refused);
    }
    print::line("`ok`: it stood when it was tried just now. `without`: this profile may start without it.");
}
