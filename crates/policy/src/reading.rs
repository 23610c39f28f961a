//! From a checked document to a [`Policy`].

use crate::Policy;
use crate::document::{Diagnostic, Document, Table};
use crate::keys::{self, GENERAL};
use crate::rules::{ClassRule, GuardedFiles, PrivateAreas, SessionLimits, SessionRules, SnapshotRules, UserUpstreams};
use crate::upstream::{Address, KeySource, Upstream};
use crate::{files, programs};
use schema::{Boundary, BoundarySource, DataClass, PathPattern, Token, Trust, UpstreamKind};
use std::path::PathBuf;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const HOUR_SECONDS: u64 = 60 * 60;

pub(crate) fn policy(file: &str, text: &str) -> Result<Policy, Vec<Diagnostic>> {
    let document = Document::parse(file, text, &keys::POLICY);
    let root = document.root();
    let policy = Policy {
        profile: root.name("profile").unwrap_or_else(|| Token::lossy("")),
        session: session(&root),
        user_upstreams: user_upstreams(&root.table("user_upstreams")),
        general: root.named("classes", GENERAL).map(|table| class_rule(&table)),
        classes: DataClass::ALL.into_iter().filter_map(|class| Some((class, class_rule(&root.named("classes", class.name())?)))).collect(),
        purposes: root.tables("purpose").iter().filter_map(|purpose| purpose.name("id")).collect(),
        upstreams: root.tables("upstream").iter().filter_map(upstream).collect(),
        user_upstream_count: 0,
        digest_input: text.to_owned(),
        text_bytes: text.len(),
    };
    if let Some(credential) = root.named("classes", DataClass::Credential.name()).filter(|_| goes_somewhere(&policy, DataClass::Credential))
    {
        credential.complain("boundaries", "unmasked credentials never go anywhere: write boundaries = []");
    }
    document.finish()?;
    Ok(policy)
}

fn goes_somewhere(policy: &Policy, class: DataClass) -> bool {
    policy.class_rule(class).is_some_and(|rule| !rule.boundaries.is_empty())
}

fn session(root: &Table<'_>) -> SessionRules {
    let table = root.table("session");
    let trust_minimum = if table.text("trust_minimum") == Some(Trust::SelfKept.name()) { Trust::SelfKept } else { Trust::Endpoint };
    let purpose_required = table.boolean("purpose_required").unwrap_or(true);
    if purpose_required && !root.has("purpose") {
        table.complain(
            "purpose_required",
            "a purpose is required, but none is registered: add a [[purpose]], or write purpose_required = false under [session]",
        );
    }
    let missing = table.list("danger_allow_missing").unwrap_or_default();
    SessionRules {
        trust_minimum,
        purpose_required,
        danger_allow_missing: missing.into_iter().filter_map(|wall| Token::parse(wall).ok()).collect(),
        limits: limits(&table.table("limits")),
        private: private(&table.table("private")),
        files: guarded(&table.table("files")),
        probe_period_seconds: table.table("probes").integer("period_seconds").unwrap_or(300),
        programs: programs::rules(&table.table("programs")),
        agents: programs::agents(&table),
        snapshot: snapshot(&table.table("snapshot")),
    }
}

fn snapshot(table: &Table<'_>) -> SnapshotRules {
    SnapshotRules {
        danger_none: table.text("mode") == Some("danger_none"),
        bytes_max: table.bytes("bytes_max").unwrap_or(GIB),
        files_max: table.integer("files_max").unwrap_or(250_000),
        keep_days_max: table.integer("keep_days_max").unwrap_or(30),
        keep_sessions_max: table.integer("keep_sessions_max").unwrap_or(50),
    }
}

fn limits(table: &Table<'_>) -> SessionLimits {
    SessionLimits {
        memory_bytes_max: table.bytes("memory_bytes_max").unwrap_or(8 * GIB),
        processes_max: table.integer("processes_max").unwrap_or(1024),
        open_files_max: table.integer("open_files_max").unwrap_or(4096),
        file_bytes_max: table.bytes("file_bytes_max").unwrap_or(4 * GIB),
        cpu_seconds_max: table.integer("cpu_seconds_max").unwrap_or(12 * HOUR_SECONDS),
        cpu_total_seconds_max: table.integer("cpu_total_seconds_max").unwrap_or(96 * HOUR_SECONDS),
        wall_clock_seconds_max: table.integer("wall_clock_seconds_max").unwrap_or(24 * HOUR_SECONDS),
        workspace_growth_bytes_max: table.bytes("workspace_growth_bytes_max").unwrap_or(20 * GIB),
        disk_free_bytes_min: table.bytes("disk_free_bytes_min").unwrap_or(256 * MIB),
        output_bytes_max: table.bytes("output_bytes_max").unwrap_or(256 * MIB),
        output_bytes_per_second_max: table.bytes("output_bytes_per_second_max").unwrap_or(32 * MIB),
    }
}

fn private(table: &Table<'_>) -> PrivateAreas {
    PrivateAreas {
        home_bytes_max: table.bytes("home_bytes_max").unwrap_or(GIB),
        tmp_bytes_max: table.bytes("tmp_bytes_max").unwrap_or(GIB),
        shared_memory_bytes_max: table.bytes("shared_memory_bytes_max").unwrap_or(256 * MIB),
        run_bytes_max: table.bytes("run_bytes_max").unwrap_or(16 * MIB),
    }
}

fn guarded(table: &Table<'_>) -> GuardedFiles {
    let usual = |list: &[&str]| list.iter().filter_map(|text| PathPattern::parse(text).ok()).collect();
    GuardedFiles {
        protected: table.patterns("protected").unwrap_or_else(|| usual(files::PROTECTED)),
        hidden: table.patterns("hidden").unwrap_or_default(),
        masked: table.patterns("masked").unwrap_or_else(|| usual(files::MASKED)),
    }
}

fn user_upstreams(table: &Table<'_>) -> UserUpstreams {
    UserUpstreams {
        accepted: table.boolean("accepted").unwrap_or(false),
        boundaries: boundaries(table).unwrap_or_else(|| Boundary::ALL.to_vec()),
        accepts_pseudonymised: table.boolean("accepts_pseudonymised").unwrap_or(false),
    }
}

fn boundaries(table: &Table<'_>) -> Option<Vec<Boundary>> {
    Some(table.list("boundaries")?.into_iter().filter_map(Boundary::from_name).collect())
}

fn names(table: &Table<'_>, key: &str) -> Option<Vec<Token>> {
    Some(table.list(key)?.into_iter().filter_map(|name| Token::parse(name).ok()).collect())
}

fn class_rule(table: &Table<'_>) -> ClassRule {
    ClassRule {
        boundaries: boundaries(table).unwrap_or_default(),
        regions: names(table, "regions"),
        hold: table.boolean("hold").unwrap_or(false),
    }
}

/// An upstream; `None` if something is wrong with it, which has then been said.
fn upstream(table: &Table<'_>) -> Option<Upstream> {
    let plaintext = table.boolean("danger_allow_plaintext").unwrap_or(false);
    let url = table.text("url").unwrap_or_default();
    let kind = table.text("kind").and_then(UpstreamKind::from_name);
    let address = kind.and_then(|kind| {
        let parsed = Address::parse(kind, url, plaintext);
        parsed.map_err(|error| table.complain("url", error.to_string())).ok()
    });
    let name = table.name("name");
    if name.as_ref().is_some_and(|name| name.as_str() == "user" || name.as_str().starts_with("user-")) {
        table.complain("name", "`user` and names that begin with `user-` are kept for --upstream: choose another");
    }
    Some(Upstream {
        name: name?,
        kind: kind?,
        url: url.to_owned(),
        address: address?,
        boundary: table.text("boundary").and_then(Boundary::from_name).unwrap_or(Boundary::ThirdParty),
        boundary_source: BoundarySource::Policy,
        region: table.name("region"),
        models: names(table, "models"),
        accepts_pseudonymised: table.boolean("accepts_pseudonymised").unwrap_or(false),
        key: key_source(table),
    })
}

fn key_source(table: &Table<'_>) -> Option<KeySource> {
    match (table.text("key_file"), table.text("key_env")) {
        (Some(_), Some(_)) => {
            table.complain("key_env", "the key comes from one place: give key_file or key_env, not both");
            None
        }
        (Some(path), None) => Some(KeySource::File(PathBuf::from(path))),
        (None, Some(name)) => Some(KeySource::Variable(name.to_owned())),
        (None, None) => None,
    }
}
