//! Runs one program in a session with the system's folders read-only:
//! `session [verbose] [observe] [reports | deaf] [door] [pipe] [allow=WALL] [ro=PATH] [rw=PATH]
//! [protect=PATTERN] [mask=PATTERN] [hide=PATTERN]
//! [programs] [listed=PATH] [changed=PATH] [tree=PATH] [loader=PATH] [noexec=PATH] [debuggers]
//! [period=MILLISECONDS] [processes=N] [memory=BYTES] [files=N] [file-bytes=N] -- PROGRAM ARGS…`.
//! Prints what was observed to standard error with `verbose`, and every report with `reports`; takes none with `deaf`.
//! For tests and measurements.

use sandbox::{
    Access, Arguments, Calls, Execution, FileIdentity, Guard, GuardKind, Layer, Limits, ListedProgram, Mount, Network, Overlay, Plan,
    PrivateArea, Programs, REPORT_BYTES_MAX, Report, Stdio, SyntheticFile, Wall, recv_fds,
};
use schema::PathPattern;
use std::ffi::OsString;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

fn main() {
    match run() {
        Ok(code) => std::process::exit(code),
        Err(error) => {
            let _gone = writeln!(std::io::stderr(), "session: {error}");
            std::process::exit(125)
        }
    }
}

fn run() -> Result<i32, sandbox::Error> {
    let mut arguments = std::env::args();
    let options: Vec<String> = arguments.by_ref().skip(1).take_while(|text| text != "--").collect();
    let args: Vec<OsString> = arguments.map(OsString::from).collect();
    let has = |name: &str| options.iter().any(|text| text == name);
    let mut warden = sandbox::spawn(plan(&options, args))?;
    let ready = warden.ready()?;
    if has("verbose") {
        for (wall, observation) in &ready.observed {
            let _gone = writeln!(std::io::stderr(), "{wall} {}", observation.token());
        }
        for (probe, outcome) in ready.round.results() {
            let _gone = writeln!(std::io::stderr(), "probe {} {}", probe.name, outcome.name());
        }
    }
    let reports = ready.reports;
    let printed = has("reports");
    // Walls stand and the warden is a process of its own: threads are fine now. Reports must be taken, or the agent stands still.
    let deaf = has("deaf");
    let reader = std::thread::spawn(move || if deaf { std::thread::park() } else { take_reports(&reports, printed) });
    warden.release()?;
    if let Some(output) = ready.stdout {
        let mut file = std::fs::File::from(output);
        let _copied = std::io::copy(&mut file, &mut std::io::stdout());
    }
    if options.iter().any(|text| text.starts_with("period=")) {
        until_breach(&warden);
    }
    let code = warden.wait();
    let _taken = reader.join();
    code
}

/// Waits for the session's end; if a wall is breached, says so and ends it once standard input ends.
fn until_breach(warden: &sandbox::Warden) {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut events = [PollFd::from_borrowed_fd(warden.pidfd(), PollFlags::IN), PollFd::from_borrowed_fd(warden.control(), PollFlags::IN)];
    let _awake = poll(&mut events, None);
    if warden.is_breached() {
        let _gone = writeln!(std::io::stderr(), "breached");
        let _ended = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        warden.kill();
    }
}

fn take_reports(reports: &OwnedFd, printed: bool) {
    let mut buffer = vec![0; REPORT_BYTES_MAX];
    while let Ok(received) = recv_fds(reports.as_fd(), &mut buffer) {
        let Some(bytes @ [_, ..]) = buffer.get(..received.bytes) else { return };
        if printed {
            let _gone = match Report::decode(bytes) {
                Ok(Report::FileOpened { path, mode }) => writeln!(std::io::stderr(), "opened {mode:?} {}", path.display()),
                Ok(Report::FileRefused { path, mode, errno, .. }) => {
                    writeln!(std::io::stderr(), "refused {mode:?} {} {errno}", path.display())
                }
                Ok(Report::SystemCallRefused { name, attempts }) => {
                    writeln!(std::io::stderr(), "call {name}{}", if attempts == 1 { String::new() } else { format!(" {attempts} times") })
                }
                Ok(Report::FileChanged { path, change }) => writeln!(std::io::stderr(), "changed {change:?} {}", path.display()),
                Ok(Report::ProgramExecuted(execution)) => print_program(&execution, received.descriptors),
                Ok(Report::ProgramRefused { path, reason }) => {
                    writeln!(std::io::stderr(), "program refused {} {}", path.display(), reason.name())
                }
                Ok(Report::SystemCallObserved { name, request }) => writeln!(std::io::stderr(), "observed {name} {}", request.name()),
                Ok(Report::WallsProbed { round }) => {
                    writeln!(std::io::stderr(), "probed {} of {} refused {}", round.refused(), round.made(), round.failed().join(" "))
                }
                Err(error) => writeln!(std::io::stderr(), "session: {error}"),
            };
        }
    }
}

/// One line for each program: what ran, the script, whether it is confirmed, the bytes of its file if it came along, its arguments.
fn print_program(execution: &Execution, descriptors: Vec<OwnedFd>) -> std::io::Result<()> {
    let (file, passed) = execution.take_along(descriptors).map_err(std::io::Error::other)?;
    let bytes = file.map_or(Ok(None), |file| std::fs::File::from(file).metadata().map(|facts| Some(facts.len())))?;
    let mut arguments = match &execution.arguments {
        Arguments::Inline(bytes) => bytes.clone(),
        Arguments::Passed | Arguments::Unknown => Vec::new(),
    };
    if let Some(passed) = passed {
        std::io::Read::read_to_end(&mut std::fs::File::from(passed), &mut arguments)?;
    }
    let script = execution.script.as_deref().map_or_else(|| "-".to_owned(), |script| script.display().to_string());
    let confirmed = if execution.confirmed { "confirmed" } else { "unconfirmed" };
    let bytes = bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
    let words = String::from_utf8_lossy(&arguments).trim_end_matches('\0').replace(['\0', '\n'], " ");
    writeln!(std::io::stderr(), "program {} {script} {confirmed} {bytes} {} {words}", execution.program.display(), arguments.len())
}

fn layers(options: &[String]) -> Vec<Layer> {
    let mut layers = Calls::default().layers;
    if options.iter().any(|text| text == "debuggers") {
        layers.push(Layer::Developer);
    }
    layers
}

fn programs(options: &[String]) -> Programs {
    let has = |name: &str| options.iter().any(|text| text == name);
    let paths = |prefix: &str| options.iter().filter_map(|text| text.strip_prefix(prefix).map(PathBuf::from)).collect::<Vec<_>>();
    let files = paths("listed=").into_iter().map(|path| ListedProgram::File { path, identity: None });
    // As if it had been another file when it was measured.
    let another = FileIdentity { device: 0, inode: 0, bytes: 0, changed: (0, 0) };
    let changed = paths("changed=").into_iter().map(|path| ListedProgram::File { path, identity: Some(another) });
    let listed: Vec<_> = files.chain(changed).chain(paths("tree=").into_iter().map(ListedProgram::Tree)).collect();
    Programs {
        observe: has("programs"),
        listed: (!listed.is_empty()).then_some(listed),
        loaders: paths("loader="),
        without_execution: paths("noexec="),
    }
}

fn plan(options: &[String], args: Vec<OsString>) -> Plan {
    let mut mounts = Vec::new();
    for path in ["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives"] {
        if PathBuf::from(path).exists() {
            mounts.push(Mount { source: path.into(), target: path.into(), access: Access::ReadOnly });
        }
    }
    for (prefix, access) in [("ro=", Access::ReadOnly), ("rw=", Access::ReadWrite)] {
        for path in options.iter().filter_map(|text| text.strip_prefix(prefix)) {
            mounts.push(Mount { source: path.into(), target: path.into(), access });
        }
    }
    let area = |path: &str| PrivateArea { path: path.into(), size_bytes_max: 64 << 20 };
    let stdio = if options.iter().any(|text| text == "pipe") { Stdio::Pipe } else { Stdio::Null };
    let door = options.iter().any(|text| text == "door");
    Plan {
        program: args.first().cloned().unwrap_or_default().into(),
        args,
        env: vec![("PATH".into(), "/usr/bin:/bin".into()), ("HOME".into(), "/home/agent".into())],
        cwd: "/tmp".into(),
        mounts,
        files: vec![SyntheticFile { path: "/etc/passwd".into(), content: b"agent:x:1000:1000::/home/agent:/bin/sh\n".to_vec() }],
        private: vec![area("/tmp"), area("/home/agent"), area("/dev/shm")],
        limits: limits(options),
        network: if door { Network::Door { gateway_port: 4180, proxy_port: 4181 } } else { Network::Isolated },
        stdio: [Stdio::Null, stdio, stdio],
        pass: Vec::new(),
        observe_files: options.iter().any(|text| text == "observe"),
        calls: Calls {
            without: options.iter().filter_map(|text| Some(text.strip_prefix("without=")?.to_owned())).collect(),
            layers: layers(options),
        },
        programs: programs(options),
        probe_period: options.iter().find_map(|text| text.strip_prefix("period=")?.parse().ok()).map(std::time::Duration::from_millis),
        #[cfg(feature = "danger-weaken")]
        danger_weakened: sandbox::Weakened {
            walls: options.iter().filter_map(|text| Wall::from_name(text.strip_prefix("away=")?)).collect(),
            landlock_abi: options.iter().find_map(|text| text.strip_prefix("abi=")?.parse().ok()),
            host_mounts: options.iter().find_map(|text| text.strip_prefix("host-mounts=")?.parse().ok()),
        },
        danger_allow_missing: options.iter().filter_map(|text| Wall::from_name(text.strip_prefix("allow=")?)).collect(),
        guards: guards(options),
        overlays: options.iter().filter_map(|text| overlay(text.strip_prefix("overlay=")?)).collect(),
    }
}

/// Patterns below the first writable folder.
fn guards(options: &[String]) -> Vec<Guard> {
    let Some(folder) = options.iter().find_map(|text| text.strip_prefix("rw=")) else { return Vec::new() };
    let kinds = [("protect=", GuardKind::Protected), ("mask=", GuardKind::Masked), ("hide=", GuardKind::Hidden)];
    let of = |(prefix, kind): (&'static str, GuardKind)| {
        let patterns = options.iter().filter_map(move |text| PathPattern::parse(text.strip_prefix(prefix)?).ok());
        patterns.map(move |pattern| Guard { folder: folder.into(), pattern, kind })
    };
    kinds.into_iter().flat_map(of).collect()
}

/// `TARGET:UPPER:WORK`.
fn overlay(text: &str) -> Option<Overlay> {
    let mut parts = text.split(':').map(PathBuf::from);
    Some(Overlay { target: parts.next()?, upper: parts.next()?, work: parts.next()? })
}

fn limits(options: &[String]) -> Limits {
    let number = |prefix: &str, otherwise: u64| {
        options.iter().filter_map(|text| text.strip_prefix(prefix)).find_map(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let usual = Limits::default();
    Limits {
        processes_max: number("processes=", 64),
        memory_bytes_max: number("memory=", usual.memory_bytes_max),
        data_bytes_max: number("memory=", usual.data_bytes_max),
        open_files_max: number("files=", usual.open_files_max),
        file_bytes_max: number("file-bytes=", usual.file_bytes_max),
        cpu_seconds_max: None,
    }
}
