use schema::Token;

macro_rules! walls {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $advice:expr;)*) => {
        /// One of the walls around a session.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Wall {
            $($(#[$doc])* $variant,)*
        }

        impl Wall {
            /// Every wall.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The wall's name in policies, events and reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What to do on a host that lacks it.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }
    };
}

const NAMESPACES: &str = "allow user namespaces (sysctl user.max_user_namespaces; kernel.unprivileged_userns_clone; where AppArmor restricts them, as on Ubuntu, install the profile that `bailiwick doctor --apparmor-profile` prints)";

walls! {
    /// Own user ids: no capability of the host.
    UserNamespace = "user_namespace", NAMESPACES;
    /// Own view of the file systems.
    MountNamespace = "mount_namespace", NAMESPACES;
    /// Own processes only.
    PidNamespace = "pid_namespace", NAMESPACES;
    /// Own network with nothing but loopback.
    NetNamespace = "net_namespace", NAMESPACES;
    /// Own System V and POSIX message objects.
    IpcNamespace = "ipc_namespace", NAMESPACES;
    /// Own host name.
    UtsNamespace = "uts_namespace", NAMESPACES;
    /// Own view of control groups.
    CgroupNamespace = "cgroup_namespace", NAMESPACES;
    /// Own clocks since the start of the machine; wanted where the kernel has them, never required.
    TimeNamespace = "time_namespace", "use a kernel of Linux 5.6 or later with CONFIG_TIME_NS";
    /// A root with nothing in it but what the plan lists.
    MinimalRoot = "minimal_root", "give the host's /proc to this process unmasked (nested containers hide parts of it)";
    /// File access by the kernel's Landlock rules, on top of the root.
    Landlock = "landlock", "use a kernel with Landlock (Linux 5.19 or later, `landlock` in the boot parameter lsm=)";
    /// System calls by a list of what is allowed.
    Seccomp = "seccomp", "use a kernel with CONFIG_SECCOMP_FILTER";
    /// Set-uid programs give nothing.
    NoNewPrivileges = "no_new_privileges", "use a kernel of Linux 3.5 or later";
    /// No capability at all.
    NoCapabilities = "no_capabilities", "use a kernel with file capabilities";
    /// Bounds of each process, and on how many there are: by a control group, by the kernel's count for the user, or by process numbers.
    Rlimits = "rlimits", "where nothing bounds processes, run as an ordinary user, or lend a writable pids control group, or use Linux 6.14 or later";
    /// Bounds of the session as a whole; wanted where the host delegates a control group, never required.
    Cgroup = "cgroup", "run under a systemd user session with delegated control groups (pids, memory)";
    /// Every opened file is seen.
    FileObservation = "file_observation", "use a kernel with seccomp user notification (Linux 5.14 or later)";
    /// Every TCP connection ends at the door.
    DoorRedirect = "door_redirect", "load the kernel modules nf_tables, nft_chain_nat and nft_redir";
}

impl std::fmt::Display for Wall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Wall {
    /// The wall of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|wall| wall.name() == name)
    }

    /// Whether a session may start without it although nothing in the plan says so.
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Cgroup | Self::TimeNamespace)
    }
}

/// What a probe inside the session found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// The wall held when it was tried.
    Held,
    /// It did not hold, or there is none; the token says what was found.
    Missing(Token),
    /// The plan does not ask for it (an isolated session has no door, an unobserved one no observation).
    Unused,
}

impl Observation {
    /// As it stands in the session's first record: `held`, `unused`, or what was found.
    pub fn token(&self) -> Token {
        match self {
            Self::Held => Token::lossy("held"),
            Self::Missing(found) => found.clone(),
            Self::Unused => Token::lossy("unused"),
        }
    }
}
