//! What a policy file may hold: the reader checks against these tables, and `docs/reference/policy.md` is printed from them.

use crate::document::{Key, Presence, Section, Shape};
use crate::{files, programs};
use Presence::{Default, Optional, Required};
use schema::{Boundary, DataClass, UpstreamKind};

/// Names of the boundaries.
pub(crate) const BOUNDARIES: [&str; 4] =
    [Boundary::OnPrem.name(), Boundary::IsolatedVpc.name(), Boundary::Sovereign.name(), Boundary::ThirdParty.name()];

const KINDS: [&str; 4] =
    [UpstreamKind::Openai.name(), UpstreamKind::Anthropic.name(), UpstreamKind::Local.name(), UpstreamKind::Echo.name()];

/// The rule for every call, whatever it carries, and one rule for each data class.
pub(crate) const CLASSES: [&str; 9] = [
    GENERAL,
    DataClass::Personal.name(),
    DataClass::SpecialCategory.name(),
    DataClass::Health.name(),
    DataClass::Cardholder.name(),
    DataClass::Financial.name(),
    DataClass::Credential.name(),
    DataClass::ClientDocument.name(),
    DataClass::Opaque.name(),
];

/// Name of the rule that every call must meet.
pub(crate) const GENERAL: &str = "general";

/// Names of the sandbox's walls.
pub const WALLS: [&str; 17] = [
    "user_namespace",
    "mount_namespace",
    "pid_namespace",
    "net_namespace",
    "ipc_namespace",
    "uts_namespace",
    "cgroup_namespace",
    "time_namespace",
    "minimal_root",
    "landlock",
    "seccomp",
    "no_new_privileges",
    "no_capabilities",
    "rlimits",
    "cgroup",
    "file_observation",
    "door_redirect",
];

const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;

pub(crate) const fn key(name: &'static str, shape: Shape, presence: Presence, example: &'static str, summary: &'static str) -> Key {
    Key { name, shape, presence, example, summary }
}

const fn area(name: &'static str, default: &'static str, example: &'static str, summary: &'static str) -> Key {
    key(name, Shape::Bytes { least: MIB, most: TIB }, Default(default), example, summary)
}

/// A policy file.
pub static POLICY: Section = Section {
    summary: "A policy says which sessions may start and which data may go to which model.",
    keys: &[
        key("version", Shape::Integer { least: 1, most: 1 }, Required, "1", "Version of this format."),
        key("profile", Shape::Name, Required, "\"pilot\"", "The policy's name, in every rule id and in the evidence."),
        key("session", Shape::Table(&SESSION), Optional("the defaults below"), "", ""),
        key("user_upstreams", Shape::Table(&USER_UPSTREAMS), Optional("none are accepted"), "", ""),
        key("classes", Shape::Named { names: &CLASSES, section: &CLASS }, Optional("nothing may go anywhere"), "", ""),
        key("purpose", Shape::Tables { section: &PURPOSE, unique: "id" }, Optional("no register"), "", ""),
        key("upstream", Shape::Tables { section: &UPSTREAM, unique: "name" }, Optional("none"), "", ""),
    ],
};

static SESSION: Section = Section {
    summary: "What a session must have before its agent starts.",
    keys: &[
        key(
            "trust_minimum",
            Shape::OneOf(&["self", "endpoint"]),
            Default("\"endpoint\""),
            "\"endpoint\"",
            "Who must keep the record: `self` accepts the user's own processes, `endpoint` only the endpoint service under its own account.",
        ),
        key(
            "purpose_required",
            Shape::Boolean,
            Default("true"),
            "true",
            "Whether a session must name its purpose of processing (GDPR Art. 30). If so, the purpose must be in the register (`[[purpose]]`).",
        ),
        key(
            "danger_allow_missing",
            Shape::List(&Shape::OneOf(&WALLS)),
            Default("[]"),
            "[\"file_observation\"]",
            "Walls that a session may start without on a host that lacks them. Each one listed weakens the sandbox. (`cgroup` and `time_namespace` are wanted but never required.)",
        ),
        key("limits", Shape::Table(&LIMITS), Optional("the defaults below"), "", ""),
        key("private", Shape::Table(&PRIVATE), Optional("the defaults below"), "", ""),
        key("files", Shape::Table(&files::FILES), Optional("the defaults below"), "", ""),
        key("probes", Shape::Table(&PROBES), Optional("the defaults below"), "", ""),
        key("programs", Shape::Table(&programs::PROGRAMS), Optional("the defaults below"), "", ""),
        key("agents", Shape::Tables { section: &programs::AGENT, unique: "sha256" }, Optional("any agent"), "", ""),
        key("snapshot", Shape::Table(&SNAPSHOT), Optional("the defaults below"), "", ""),
    ],
};

static SNAPSHOT: Section = Section {
    summary: "How the workspace's state is kept before a session, so that `bailiwick session rollback` can bring it back. A session whose workspace cannot be kept is refused.",
    keys: &[
        key(
            "mode",
            Shape::OneOf(&["keep", "danger_none"]),
            Default("\"keep\""),
            "\"keep\"",
            "`keep` shares blocks where the file system can and copies elsewhere; `danger_none` keeps nothing, so that nothing can be brought back. Sessions with `--stage` need neither.",
        ),
        key(
            "bytes_max",
            Shape::Bytes { least: 64 << 10, most: 16 * TIB },
            Default("\"1 GiB\""),
            "\"4 GiB\"",
            "What may be copied for one session; files that were kept before, and blocks that are shared, do not count.",
        ),
        key(
            "files_max",
            Shape::Integer { least: 16, most: 4_000_000 },
            Default("250000"),
            "1000000",
            "Files, folders and links of the workspace.",
        ),
        key("keep_days_max", Shape::Integer { least: 1, most: 3650 }, Default("30"), "7", "How long a state is kept, in days."),
        key(
            "keep_sessions_max",
            Shape::Integer { least: 1, most: 10_000 },
            Default("50"),
            "200",
            "How many states are kept; the oldest go first.",
        ),
    ],
};

static PROBES: Section = Section {
    summary: "How the walls are tried while the agent runs. Before it starts they always are.",
    keys: &[key(
        "period_seconds",
        Shape::Integer { least: 1, most: 86_400 },
        Default("300"),
        "60",
        "Seconds between two rounds. An attempt that gets through stops everything inside; the session is then ended with cause `wall_breached`.",
    )],
};

static LIMITS: Section = Section {
    summary: "The most that a session's processes may use.",
    keys: &[
        key(
            "memory_bytes_max",
            Shape::Bytes { least: 64 * MIB, most: 16 * TIB },
            Default("\"8 GiB\""),
            "\"4 GiB\"",
            "Memory of all processes together: by a control group where the host lends one, else by a watcher that adds up what they hold. The session is then ended with cause `limit_memory`.",
        ),
        key(
            "processes_max",
            Shape::Integer { least: 8, most: 65_536 },
            Default("1024"),
            "512",
            "Processes and threads at once; what goes past it is refused, and a session that stays there is ended with cause `limit_processes`.",
        ),
        key("open_files_max", Shape::Integer { least: 64, most: 1_048_576 }, Default("4096"), "1024", "Open descriptors of each process."),
        key(
            "file_bytes_max",
            Shape::Bytes { least: MIB, most: 16 * TIB },
            Default("\"4 GiB\""),
            "\"1 GiB\"",
            "Size of the largest file that a process may write.",
        ),
        key(
            "cpu_seconds_max",
            Shape::Integer { least: 1, most: 31_536_000 },
            Default("43200"),
            "3600",
            "Processor time of each process, in seconds; one that goes past it is ended.",
        ),
        key(
            "cpu_total_seconds_max",
            Shape::Integer { least: 1, most: 31_536_000_000 },
            Default("345600"),
            "36000",
            "Processor time of all processes together, in seconds; the session is then ended with cause `limit_cpu`.",
        ),
        key(
            "wall_clock_seconds_max",
            Shape::Integer { least: 1, most: 31_536_000 },
            Default("86400"),
            "28800",
            "How long a session may last, in seconds; it is then ended with cause `wall_clock`.",
        ),
        key(
            "workspace_growth_bytes_max",
            Shape::Bytes { least: MIB, most: 16 * TIB },
            Default("\"20 GiB\""),
            "\"5 GiB\"",
            "By how much the files of the workspace may grow during a session; it is then ended with cause `limit_disk`.",
        ),
        key(
            "disk_free_bytes_min",
            Shape::Bytes { least: 64 << 10, most: 16 * TIB },
            Default("\"256 MiB\""),
            "\"1 GiB\"",
            "What must stay free on the file system of the workspace, whoever fills it: with less, no session starts, and one that runs is ended with cause `limit_disk`.",
        ),
        key(
            "output_bytes_max",
            Shape::Bytes { least: 64 << 10, most: 16 * TIB },
            Default("\"256 MiB\""),
            "\"16 MiB\"",
            "What a session may write to standard output and error together where they are no terminal; it is then ended with cause `limit_output`.",
        ),
        key(
            "output_bytes_per_second_max",
            Shape::Bytes { least: 64 << 10, most: 16 * TIB },
            Default("\"32 MiB\""),
            "\"1 MiB\"",
            "How fast it may write to each of them, terminals included; it is held up, not ended.",
        ),
    ],
};

static PRIVATE: Section = Section {
    summary: "Sizes of the areas in memory that a session has for itself and that end with it.",
    keys: &[
        area("home_bytes_max", "\"1 GiB\"", "\"512 MiB\"", "The agent's home folder."),
        area("tmp_bytes_max", "\"1 GiB\"", "\"512 MiB\"", "`/tmp` and `/var/tmp`."),
        area("shared_memory_bytes_max", "\"256 MiB\"", "\"64 MiB\"", "`/dev/shm`."),
        area("run_bytes_max", "\"16 MiB\"", "\"16 MiB\"", "`/run`."),
    ],
};

static USER_UPSTREAMS: Section = Section {
    summary: "Whether a user may name upstreams of their own with `--upstream`. They are tried before the policy's, in the order given, and the evidence says that the user, not the policy, placed them within their boundary.",
    keys: &[
        key("accepted", Shape::Boolean, Default("false"), "true", "Whether they are accepted at all."),
        key(
            "boundaries",
            Shape::List(&Shape::OneOf(&BOUNDARIES)),
            Default("[\"on_prem\", \"isolated_vpc\", \"sovereign\", \"third_party\"]"),
            "[\"third_party\"]",
            "Boundaries that a user may claim for them.",
        ),
        key(
            "accepts_pseudonymised",
            Shape::Boolean,
            Default("false"),
            "true",
            "Whether they accept personal data whose values were all masked, whatever their boundary (see the upstream key of the same name).",
        ),
    ],
};

static CLASS: Section = Section {
    summary: "Which upstreams may receive a data class. `general` is met by every call; a class without a table goes nowhere. An upstream must be accepted for every class that is left after masking.",
    keys: &[
        key(
            "boundaries",
            Shape::List(&Shape::OneOf(&BOUNDARIES)),
            Required,
            "[\"on_prem\", \"sovereign\"]",
            "Boundaries that accept the class; `[]` is nowhere. Unmasked credentials go nowhere, and a list for `credential` must be empty.",
        ),
        key(
            "regions",
            Shape::List(&Shape::Name),
            Optional("any region, also an unknown one"),
            "[\"eu\"]",
            "Regions that accept the class. `eu` also covers its parts (`eu-de`). An upstream whose region is unknown is then refused.",
        ),
        key(
            "hold",
            Shape::Boolean,
            Default("false"),
            "true",
            "Whether a person must approve each call that carries the class. Until there is a gate where one can, such calls are refused with `policy.held`.",
        ),
    ],
};

static PURPOSE: Section = Section {
    summary: "The register of purposes of processing. If it is not empty, a session may name only what is in it.",
    keys: &[
        key("id", Shape::Name, Required, "\"contract-review\"", "The purpose's name, as given with `--purpose`."),
        key("summary", Shape::Text, Optional("none"), "\"Reviewing supplier contracts\"", "What it is, for people."),
    ],
};

static UPSTREAM: Section = Section {
    summary: "A place where a model runs. Upstreams are tried in the order of the file; the first that fits the dialect and accepts every data class of a call gets it.",
    keys: &[
        key(
            "name",
            Shape::Name,
            Required,
            "\"local\"",
            "The upstream's name; `user` and names that begin with `user-` are kept for `--upstream`.",
        ),
        key(
            "kind",
            Shape::OneOf(&KINDS),
            Required,
            "\"openai\"",
            "What it speaks. OpenAI calls fit `openai`, `local` and `echo`; Anthropic calls fit `anthropic` and `echo`.",
        ),
        key(
            "url",
            Shape::Text,
            Optional("only `echo` needs none"),
            "\"https://models.example.internal/v1\"",
            "Where it is: `https://…`; `http://…` on loopback only; `unix:/path` for a socket; for `local` also `file:/path` of a model file that Bailiwick runs itself.",
        ),
        key("boundary", Shape::OneOf(&BOUNDARIES), Default("\"third_party\""), "\"on_prem\"", "Who controls the place."),
        key("region", Shape::Name, Optional("unknown"), "\"eu-de\"", "Where it keeps and processes data."),
        key(
            "models",
            Shape::List(&Shape::Name),
            Optional("any model"),
            "[\"small-1\", \"small-2\"]",
            "Models that may be asked for here, by exact name; there are no wildcards.",
        ),
        key(
            "accepts_pseudonymised",
            Shape::Boolean,
            Default("false"),
            "true",
            "Whether it accepts personal data whose values were all masked although its boundary is not listed for `personal`. The regions of `personal` still hold: pseudonymised data is still personal data (GDPR recital 26).",
        ),
        key("key_file", Shape::Path, Optional("no key"), "\"/etc/bailiwick/upstream.key\"", "A file with the API key."),
        key(
            "key_env",
            Shape::Variable,
            Optional("no key"),
            "\"UPSTREAM_API_KEY\"",
            "An environment variable with the API key; give this or `key_file`, not both.",
        ),
        key(
            "danger_allow_plaintext",
            Shape::Boolean,
            Default("false"),
            "false",
            "Whether `http://` may leave this machine: anyone on the path can then read prompts and answers.",
        ),
    ],
};
