use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $advice:literal;)*) => {
        /// Why something was refused: stable codes that agents, users and reports may rely on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum RefusalCode {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl RefusalCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as text.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means and what to do next, without any content.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }

        impl std::fmt::Display for RefusalCode {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

codes! {
    /// The caller proved no identity.
    Unauthenticated = "caller.unauthenticated", "the caller proved no identity; call through a session or with a registered client's token";
    /// The path or method is not one that the gateway serves.
    UnknownEndpoint = "request.unknown_endpoint", "the gateway serves no such path; use chat completions, messages or models";
    /// The body is not what its dialect says.
    Malformed = "request.malformed", "the request is not valid JSON of its dialect; nothing was forwarded";
    /// The body is larger than the bound.
    TooLarge = "request.too_large", "the request is larger than the gateway reads; send less";
    /// The body is compressed or encoded so that it cannot be inspected.
    Encoded = "request.encoded", "the request body is encoded; send it plain so that it can be inspected";
    /// A shape that can carry content and that the gateway does not know.
    UnknownShape = "request.unknown_shape", "the request carries content in a shape that cannot be inspected";
    /// Content that could not be inspected.
    InspectionFailed = "inspection.failed", "the request could not be inspected, so it was not sent; nothing was forwarded";
    /// Inspection would exceed its bounds.
    InspectionBound = "inspection.bound", "inspecting the request would exceed its bounds, so it was not sent; send less";
    /// No route accepts these data classes.
    NoRoute = "policy.no_route", "no upstream may receive these data classes; mask more, or ask for a route in the policy";
    /// A rule denies the call.
    Denied = "policy.denied", "a rule of the policy refuses this";
    /// A person must approve, and there is no gate yet.
    Held = "policy.held", "this needs a person's approval, and no approver is configured";
    /// The upstream could not be reached or broke off.
    UpstreamFailed = "upstream.failed", "the model's endpoint did not answer; the outcome is recorded as unknown unless it was never reached";
    /// The upstream's answer could not be screened.
    UpstreamMalformed = "upstream.malformed", "the model's answer was not valid in its dialect and was withheld";
    /// Evidence could not be made durable.
    EvidenceUnavailable = "evidence.unavailable", "the evidence log cannot be written, so nothing may cross; free space or repair the log";
    /// The session's state was lost.
    SessionLost = "session.lost", "the gateway that held this session is gone; start a new session";
    /// More at once than the bound.
    Overloaded = "gateway.overloaded", "too many calls at once; try again later";
    /// A destination that is not allowed.
    DestinationDenied = "egress.destination_denied", "the session may reach no such destination; only the gateway is reachable";
    /// A name that is not resolved.
    NameDenied = "egress.name_denied", "the session resolves no names; only the gateway is reachable";
    /// A file outside what the session was given.
    FileDenied = "sandbox.file_denied", "the session was not given this file, or not for writing";
    /// A system call that is not on the list.
    SystemCallDenied = "sandbox.system_call_denied", "the profile does not list this system call";
    /// A program that may not run in the session.
    ProgramDenied = "sandbox.program_denied", "the policy does not let this program run in the session; use one that it lists";
    /// A wall could not be built or failed its probe.
    WallMissing = "sandbox.wall_missing", "a required wall is missing on this host; run `bailiwick doctor`";
    /// Another session uses the workspace.
    WorkspaceInUse = "session.workspace_in_use", "another session, rollback or commit uses this workspace, or one above or below it; wait for its end";
}
