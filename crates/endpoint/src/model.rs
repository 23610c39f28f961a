//! Model files: each is served by a process of its own inside walls, without network, that answers on a Unix socket.

use crate::{Error, SessionSpec, layout};
use policy::{Address, Policy};
use sandbox::{Access, Calls, Limits, Mount, Network, Plan, PrivateArea, Programs, REPORT_BYTES_MAX, Stdio, Warden};
use schema::{SessionId, Token};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;

/// The listening socket's number inside.
const SOCKET_NUMBER: i32 = 3;
/// Room for what the libraries write to `/tmp`.
const TMP_BYTES: u64 = 16 << 20;
/// Most that a model's process may take.
const MEMORY_BYTES_MAX: u64 = 8 << 30;
/// Longest message of a model's process that is passed on.
const MESSAGE_BYTES_MAX: u64 = 64 * 1024;

/// A model's process, not yet released.
pub(crate) struct ModelServer {
    upstream: Token,
    warden: Warden,
    socket: PathBuf,
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        // A socket without a listener harms nobody.
        let _left = std::fs::remove_file(&self.socket);
    }
}

/// Starts building the walls for every model file of the policy.
pub(crate) fn spawn_all(spec: &SessionSpec, policy: &Policy, session_id: &SessionId) -> Result<Vec<ModelServer>, Error> {
    let mut servers = Vec::new();
    for upstream in policy.upstreams() {
        let Address::ModelFile(file) = upstream.address() else { continue };
        let number = servers.len();
        let socket = spec.directories.sockets().join(format!("{session_id}-{number}"));
        servers.push(spawn(spec, upstream.name().clone(), file, socket)?);
    }
    Ok(servers)
}

fn spawn(spec: &SessionSpec, upstream: Token, file: &Path, socket: PathBuf) -> Result<ModelServer, Error> {
    let wrong = |reason: String| Error::Path { what: "the model", path: file.to_owned(), reason };
    let model = std::fs::canonicalize(file).map_err(|error| wrong(format!("{error}; scripts/fetch-model fetches the small one")))?;
    if !model.is_file() {
        return Err(wrong("it is not a file".to_owned()));
    }
    let listener = UnixListener::bind(&socket).map_err(Error::system("listen for the model's calls"))?;
    let program = std::fs::canonicalize(&spec.model_command.program).map_err(Error::system("find the model server's program"))?;
    let warden = sandbox::spawn(plan(spec, &program, &model, listener)?)?;
    Ok(ModelServer { upstream, warden, socket })
}

fn plan(spec: &SessionSpec, program: &Path, model: &Path, listener: UnixListener) -> Result<Plan, Error> {
    let mut mounts = layout::system_mounts();
    let own = [program, model].into_iter().filter(|path| !layout::is_system(path));
    mounts.extend(own.map(|path| Mount { source: path.to_owned(), target: path.to_owned(), access: Access::ReadOnly }));
    let mut args = vec![program.into()];
    args.extend(spec.model_command.arguments.iter().cloned());
    args.extend([SOCKET_NUMBER.to_string().into(), model.into()]);
    let mut env: Vec<(OsString, OsString)> = vec![("PATH".into(), "/usr/bin:/bin".into()), ("HOME".into(), "/tmp".into())];
    env.extend(spec.model_command.environment.iter().cloned());
    Ok(Plan {
        program: program.to_owned(),
        args,
        env,
        cwd: "/tmp".into(),
        mounts,
        files: layout::synthetic_files(),
        private: vec![PrivateArea { path: "/tmp".into(), size_bytes_max: TMP_BYTES }],
        limits: Limits {
            memory_bytes_max: MEMORY_BYTES_MAX,
            data_bytes_max: MEMORY_BYTES_MAX,
            processes_max: 64,
            open_files_max: 256,
            file_bytes_max: TMP_BYTES,
            cpu_seconds_max: None,
        },
        network: Network::Isolated,
        stdio: [Stdio::Null, Stdio::Null, Stdio::Pipe],
        pass: vec![(OwnedFd::from(listener), SOCKET_NUMBER)],
        observe_files: false,
        calls: Calls::default(),
        programs: Programs::default(),
        danger_allow_missing: layout::allowed_missing(&spec.policy)?,
        // No agent runs there.
        probe_period: None,
        guards: Vec::new(),
        overlays: Vec::new(),
    })
}

/// Where each model is served.
pub(crate) fn sockets(servers: &[ModelServer]) -> BTreeMap<Token, PathBuf> {
    servers.iter().map(|server| (server.upstream.clone(), server.socket.clone())).collect()
}

impl ModelServer {
    /// Waits for its walls and lets it start; returns what it says.
    pub(crate) fn release(&mut self) -> Result<Voice, Error> {
        let ready = self.warden.ready()?;
        self.warden.release()?;
        Ok(Voice { messages: ready.stderr, reports: ready.reports })
    }
}

/// What comes from a model's walls.
pub(crate) struct Voice {
    /// The pipe of its messages.
    messages: Option<OwnedFd>,
    /// The warden's reports: of a model's process, which is the product's own, none is recorded. A warden that nobody hears ends its session.
    reports: OwnedFd,
}

/// Passes a model's messages on to this process's standard error, until it ends. Starts threads: call it after the last fork.
pub(crate) fn pass_on_messages(voice: Voice) {
    let Voice { messages, reports } = voice;
    // Without a thread the model's warden stops, and with it the model.
    let _started = thread::Builder::new().name("model-reports".into()).spawn(move || {
        let mut heard = vec![0; REPORT_BYTES_MAX];
        let mut reports = std::fs::File::from(reports);
        while matches!(reports.read(&mut heard), Ok(1..)) {}
    });
    let Some(pipe) = messages else { return };
    // Without a thread the messages are lost, not the session.
    let _started = thread::Builder::new().name("model-messages".into()).spawn(move || {
        let mut text = String::new();
        let read = std::fs::File::from(pipe).take(MESSAGE_BYTES_MAX).read_to_string(&mut text);
        if read.is_ok() && !text.trim().is_empty() {
            let _unheard = write!(io::stderr(), "{text}");
        }
    });
}
